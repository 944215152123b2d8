//! `vak memory`

use std::sync::Arc;

use crate::site::Site;

#[test]
fn what_agents_remember_is_listed_and_forgotten() {
    let site = Site::new();
    std::fs::create_dir(site.path("state")).unwrap();
    let memory = Arc::new(vak::Memory::at(site.path("state/memory.sqlite")));
    for (agent, scope, key) in
        [("ada", "notes", "a"), ("ada", "notes", "b"), ("ada", "plans", "a"), ("bob", "notes", "a")]
    {
        let mut call = memory.recall(&agent.parse().unwrap());
        call.set(&scope.parse().unwrap(), key, b"value").unwrap().unwrap();
        call.commit().unwrap();
    }
    let all = "ada  notes  2 values  76 bytes\nada  plans  1 values  38 bytes\nbob  notes  1 values  38 bytes\n";
    assert_eq!(site.ok(&["memory", "list"]), all);
    assert_eq!(site.ok(&["memory", "forget", "ada", "--scope", "nothing"]), "forgot 0 values of `ada`\n");
    assert_eq!(site.ok(&["memory", "forget", "ada", "--scope", "notes"]), "forgot 2 values of `ada`\n");
    assert_eq!(site.ok(&["memory", "forget", "ada"]), "forgot 1 values of `ada`\n");
    assert_eq!(site.ok(&["memory", "list"]), "bob  notes  1 values  38 bytes\n");
    site.fails(&["memory", "forget", "a\u{202e}b"], 2, "error: invalid value");
}
