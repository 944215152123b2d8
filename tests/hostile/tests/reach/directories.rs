//! Directories, and the ways out of them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::json;
use vak_types::FailureKind;

use crate::skill::{Grants, reach, stopped_as};

/// `inside` with a file, `outside` with a secret one, and links between them.
fn tree() -> tempfile::TempDir {
    let tree = tempfile::tempdir().unwrap();
    for (path, text) in [("inside/file", "inside"), ("inside/below/file", "below"), ("outside/file", "outside")] {
        let path = tree.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let inside = tree.path().join("inside");
    symlink("../outside", inside.join("out")).unwrap();
    symlink(tree.path().join("outside/file"), inside.join("out-file")).unwrap();
    symlink("/etc/passwd", inside.join("passwd")).unwrap();
    symlink("below", inside.join("in")).unwrap();
    tree
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Paths that lead out, each in its own way.
fn ways_out(tree: &Path) -> Vec<String> {
    let mut ways: Vec<String> = [
        "/d/../outside/file",
        "/d/below/../../outside/file",
        "/d/out/file",
        "/d/out-file",
        "/d/passwd",
        "/etc/passwd",
        "/proc/self/environ",
        "/proc/self/root/etc/passwd",
        "../outside/file",
        "outside/file",
        "/d//../outside/file",
        "/d/./../outside/file",
        "/d/in/../../outside/file",
    ]
    .map(str::to_owned)
    .to_vec();
    ways.push(tree.join("outside/file").display().to_string());
    ways.push(tree.join("inside/file").display().to_string());
    ways
}

#[test]
fn reads_what_is_inside_and_nothing_else() {
    let tree = tree();
    let skill = Grants::new("reads").directory("/d", &tree.path().join("inside"), "read").load();
    let read = |path: &str| reach(&skill, &json!({ "do": "read", "path": path }));
    for (path, text) in [("/d/file", "inside"), ("/d/in/file", "below"), ("/d/below/../file", "inside")] {
        assert_eq!(read(path), Ok(json!(text)), "{path}");
    }
    for path in ways_out(tree.path()) {
        let error = read(&path).expect_err(&path);
        assert!(error.starts_with("PermissionDenied") || error.starts_with("NotFound"), "{path}: {error}");
    }
    let list = |path: &str| reach(&skill, &json!({ "do": "list", "path": path }));
    assert_eq!(list("/d/below"), Ok(json!(["file"])));
    for path in ["/", "/d/..", "/d/out", "/etc", "."] {
        list(path).expect_err(path);
    }
}

#[test]
fn changes_nothing_where_it_may_read() {
    let tree = tree();
    let inside = tree.path().join("inside");
    let skill = Grants::new("read-only").directory("/d", &inside, "read").load();
    let before = names(&inside);
    let changes = [
        json!({ "do": "write", "path": "/d/file", "text": "x" }),
        json!({ "do": "write", "path": "/d/new", "text": "x" }),
        json!({ "do": "append", "path": "/d/file", "text": "x" }),
        json!({ "do": "truncate", "path": "/d/file" }),
        json!({ "do": "remove", "path": "/d/file" }),
        json!({ "do": "make-directory", "path": "/d/new" }),
        json!({ "do": "rename", "path": "/d/file", "to": "/d/new" }),
        json!({ "do": "hard-link", "path": "/d/file", "to": "/d/new" }),
        json!({ "do": "symbolic-link", "path": "new", "to": "file" }),
    ];
    for change in changes {
        reach(&skill, &change).expect_err(&change.to_string());
    }
    assert_eq!(names(&inside), before);
    assert_eq!(fs::read_to_string(inside.join("file")).unwrap(), "inside");
}

#[test]
fn writes_inside_and_takes_nothing_out() {
    let tree = tree();
    let (inside, outside) = (tree.path().join("inside"), tree.path().join("outside"));
    let skill = Grants::new("writes").directory("/d", &inside, "write").load();
    reach(&skill, &json!({ "do": "write", "path": "/d/new", "text": "new" })).unwrap();
    reach(&skill, &json!({ "do": "rename", "path": "/d/new", "to": "/d/below/new" })).unwrap();
    assert_eq!(fs::read_to_string(inside.join("below/new")).unwrap(), "new");

    let before = names(&outside);
    for path in ways_out(tree.path()) {
        for change in [
            json!({ "do": "write", "path": path, "text": "x" }),
            json!({ "do": "rename", "path": "/d/file", "to": path }),
            json!({ "do": "rename", "path": path, "to": "/d/taken" }),
            json!({ "do": "hard-link", "path": "/d/file", "to": path }),
            json!({ "do": "hard-link", "path": path, "to": "/d/taken" }),
        ] {
            // A link itself is inside and may be moved; what it leads to is not.
            if reach(&skill, &change).is_ok() {
                assert!(path == "/d/out-file" || path == "/d/passwd", "{change}");
                fs::remove_file(inside.join("taken")).unwrap_or_default();
            }
        }
    }
    assert_eq!(names(&outside), before);
    assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "outside");
    assert_eq!(names(tree.path()), ["inside", "outside"]);
}

#[test]
fn makes_no_link_that_leads_out() {
    let tree = tree();
    let skill = Grants::new("links").directory("/d", &tree.path().join("inside"), "write").load();
    for to in ["/etc/passwd", "../outside/file"] {
        // Absolute ones cannot be made; the other can, and is not followed.
        let made = reach(&skill, &json!({ "do": "symbolic-link", "path": "new", "to": to }));
        assert_eq!(made.is_ok(), to.starts_with(".."), "{to}: {made:?}");
        reach(&skill, &json!({ "do": "read", "path": "/d/new" })).expect_err(to);
    }
}

#[test]
fn what_is_at_the_path_later_does_not_matter() {
    let tree = tree();
    let (inside, outside) = (tree.path().join("inside"), tree.path().join("outside"));
    let skill = Grants::new("swapped").directory("/d", &inside, "write").load();
    fs::rename(&inside, tree.path().join("moved")).unwrap();
    symlink(&outside, &inside).unwrap();
    assert_eq!(reach(&skill, &json!({ "do": "read", "path": "/d/file" })), Ok(json!("inside")));
    reach(&skill, &json!({ "do": "write", "path": "/d/file", "text": "changed" })).unwrap();
    assert_eq!(fs::read_to_string(tree.path().join("moved/file")).unwrap(), "changed");
    assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "outside");
}

#[test]
fn each_call_starts_afresh_and_leaves_no_handles() {
    let tree = tree();
    let skill = Grants::new("afresh").directory("/d", &tree.path().join("inside"), "read").load();
    let descriptors = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = descriptors();
    for _ in 0..50 {
        stopped_as(
            &skill,
            &json!({ "do": "hoard", "path": "/d/file" }),
            FailureKind::Memory,
            "more of the host's resources",
        );
    }
    // Other tests run beside this one and open some of their own.
    assert!(descriptors() < before + 500, "{before} before, {} after", descriptors());
    assert_eq!(reach(&skill, &json!({ "do": "read", "path": "/d/file" })), Ok(json!("inside")));
}

#[test]
fn a_fifo_or_a_device_holds_nobody_up() {
    let tree = tree();
    let inside = tree.path().join("inside");
    let made = std::process::Command::new("mkfifo").arg(inside.join("fifo")).status().unwrap();
    assert!(made.success());
    symlink("fifo", inside.join("link")).unwrap();
    let skill = Grants::new("fifo").directory("/d", &inside, "write").load();
    for path in ["/d/fifo", "/d/link"] {
        let error = reach(&skill, &json!({ "do": "read", "path": path })).unwrap_err();
        assert!(error.starts_with("PermissionDenied"), "{path}: {error}");
        reach(&skill, &json!({ "do": "write", "path": path, "text": "x" })).unwrap_err();
    }
    let devices = Grants::new("devices").directory("/d", Path::new("/dev"), "read").load();
    for path in ["/d/zero", "/d/tty", "/d/stdin"] {
        reach(&devices, &json!({ "do": "read", "path": path })).expect_err(path);
    }
}
