//! Pages in a real browser: Debian's Chromium, driven by `playwright-core`.

use std::path::{Path, PathBuf};
use std::process::Command;

use vak_test_site::{Market, hostile, shelf};

use crate::served::Served;

/// The folder that builds go to.
fn target() -> PathBuf {
    let folder = std::env::current_exe().unwrap();
    let folder = folder.ancestors().find(|folder| folder.join("npm-site/node_modules").is_dir());
    folder.expect("what drives the browser is not installed; run `cargo xtask test`").to_owned()
}

/// What the script looks at, and what it holds pages to, stands in it.
#[tokio::test]
async fn pages_are_read_without_scripts_on_any_screen_and_show_texts_of_others_as_text() {
    let market = tokio::task::spawn_blocking(|| {
        let market = Market::new();
        market.put(shelf(&market).into_iter().chain([hostile(&market)]));
        market
    });
    let market = market.await.unwrap();
    let served = Served::of(&market, &[]).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/check.mjs");
    let (address, target) = (served.address, target());
    let looked = tokio::task::spawn_blocking(move || {
        let mut node = Command::new("node");
        node.arg(script).arg(format!("http://{address}")).arg(target.join("npm-site"));
        node.arg("/usr/bin/chromium").arg(target.join("site-screenshots")).output().unwrap()
    });
    let looked = looked.await.unwrap();
    let said = String::from_utf8_lossy(&looked.stdout);
    assert!(looked.status.success(), "{said}{}", String::from_utf8_lossy(&looked.stderr));
}
