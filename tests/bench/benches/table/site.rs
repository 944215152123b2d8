//! Pages of a marketplace with many packages.

use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use vak_marketplace_site::{Site, router};
use vak_test_site::{Market, crowd, hostile, shelf};

use crate::print::{Row, quantile};

/// Packages in the index.
const PACKAGES: usize = 100_000;

/// The most that a page may take, in milliseconds, and weigh, in kilobytes.
const PAGE_MS: f64 = 10.0;
const PAGE_KB: f64 = 100.0;

/// Each kind of page, from the request to its last byte, without a network.
pub(crate) fn rows() -> Vec<Row> {
    let market = Market::new();
    market.put(crowd(&market, PACKAGES).into_iter().chain(shelf(&market)).chain([hostile(&market)]));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let begin = Instant::now();
    let site = runtime.block_on(Site::open(market.index())).unwrap();
    let opened = format!("reading and verifying the index at start: {:.1} s", begin.elapsed().as_secs_f64());
    let service = TowerToHyperService::new(router(site, None));
    let bytes_of = |path: &str| {
        let request = Request::get(path).body(Empty::<Bytes>::new()).unwrap();
        let answer = runtime.block_on(service.call(request)).unwrap();
        assert!(answer.status().is_success(), "{path}");
        runtime.block_on(answer.into_body().collect()).unwrap().to_bytes().len()
    };
    let mut heaviest = 0;
    let mut row = |what: &str, paths: &[String]| {
        let mut samples: Vec<_> = paths
            .iter()
            .map(|path| {
                let begin = Instant::now();
                heaviest = heaviest.max(bytes_of(path));
                begin.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        let (p50, p99) = (quantile(&mut samples, 0.5), quantile(&mut samples, 0.99));
        Row::at_most(what, p50, PAGE_MS, "ms", format!("p99 {p99:.2} ms; {opened}"))
    };
    let every = |step: usize, path: &dyn Fn(usize) -> String| (0..PACKAGES).step_by(step).map(path).collect::<Vec<_>>();
    let first = |at: usize| {
        // As `crowd` names them.
        let (verb, thing) = (
            ["reads", "sorts", "counts", "joins", "checks", "draws", "sends", "folds"][at % 8],
            ["tables", "pages", "mails", "trees", "images", "logs", "notes", "dates", "prices", "graphs"]
                [(at / 8) % 10],
        );
        format!("/packages/{thing}-{at}-{verb}")
    };
    let again = |path: &str| vec![path.to_owned(); 200];
    let mut rows = vec![
        row("page of a package, of 100,000, read for the first time", &every(199, &first)),
        row("the same, read before; with schemas and versions", &again("/packages/calculator")),
        row("page of a search in 100,000: two words, few packages", &again("/search?q=tables+4711")),
        row("the same, a word that half of them have", &again("/search?q=sorts&page=7")),
        row("the same, a word that all have", &again("/search?q=agents")),
        row("first page", &again("/")),
        row("the heaviest page there can be", &again("/packages/hostile")),
    ];
    let weight = (heaviest + vak_marketplace_site::STYLE_BYTES) as f64 / 1e3;
    rows.push(Row::at_most("weight of the heaviest page, with its style", weight, PAGE_KB, "KB", String::new()));
    rows
}
