//! The site follows its folder.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use vak_test_site::{Made, Market, shelf};

use crate::served::Served;

/// Asks until it is so.
async fn until(served: &Served, path: &str, holds: impl Fn(u16, &str) -> bool) {
    let asking = async {
        loop {
            let answer = served.get(path).await;
            if holds(answer.status(), answer.text()) {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(60), asking).await.unwrap_or_else(|_| panic!("{path} did not become so"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_index_is_shown_and_a_forged_one_is_not() {
    let market = tokio::task::spawn_blocking(|| {
        let market = Market::new();
        market.put(shelf(&market));
        market
    });
    let mut market = market.await.unwrap();
    let served = Served::of(&market, &[]).await;
    assert_eq!(served.get("/packages/later").await.status(), 404);
    market = tokio::task::spawn_blocking(move || {
        market.put([Made { name: "later", days: 0, ..Made::default() }.entry(&market)]);
        market
    })
    .await
    .unwrap();
    until(&served, "/packages/later", |status, _| status == 200).await;
    assert!(served.get("/").await.text().contains("later"));

    // Somebody who can write to the folder, and has no key.
    let path = market.index().join("metadata/timestamp.json");
    let good = std::fs::read(&path).unwrap();
    let forged = String::from_utf8(good.clone()).unwrap().replacen("\"version\":", "\"version\":9", 1);
    for bad in [forged.as_bytes(), b"{}", b"", &[b'['; 100_000]] {
        let aside = market.path().join("aside");
        std::fs::write(&aside, bad).unwrap();
        std::fs::rename(&aside, &path).unwrap();
        until(&served, "/health", |_, text| text.contains("does not verify")).await;
        let page = served.get("/packages/later").await;
        assert_eq!(page.status(), 200);
        assert!(page.text().contains("a newer index that does not verify"));
        // Nothing of the machine is told.
        assert!(!served.get("/health").await.text().contains('/'));
        std::fs::write(&aside, &good).unwrap();
        std::fs::rename(&aside, &path).unwrap();
        until(&served, "/health", |_, text| text.contains("\"ok\"")).await;
    }
    std::fs::remove_file(&path).unwrap();
    until(&served, "/health", |_, text| text.contains("does not verify")).await;
    assert_eq!(served.get("/packages/later").await.status(), 200);
}
