//! How many entries a second become durable, beside a bare loop that appends as
//! many bytes to a file and syncs it.
//!
//! `cargo bench -p vak-audit`; `VAK_BENCH_DIR` says on which disk.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use vak_audit::{Draft, Log, Options, Origin, Receipt, Signer, Tier, verify};
use vak_types::{Action, ActionRequest, ComponentRef, Decision, Digest, Effect, Json, Reason, Source};
use vak_types::{Timestamp, Verdict};

const SECONDS: u64 = 5;
const ENTRY_BYTES: usize = 500;

fn main() {
    let folder = std::env::var_os("VAK_BENCH_DIR").unwrap_or_else(|| std::env::temp_dir().into());
    let folder = tempfile::tempdir_in(folder).unwrap();
    let (action, verdict) = sample();
    encoding(&action, &verdict);
    for in_flight in [1, 64, 1_024] {
        let raw = raw(folder.path(), in_flight);
        durable(folder.path(), in_flight, &action, &verdict, raw);
    }
    accepted(folder.path(), &action, &verdict);
}

/// An entry of about 500 bytes, as a policy's permit makes it.
fn sample() -> (Action, Verdict) {
    let request = ActionRequest {
        session: "9f1c2f0e-6a51-4a0e-8f0e-0d5b6f9a7c11".parse().unwrap(),
        agent: "billing-assistant".parse().unwrap(),
        operation: "files/read_file".parse().unwrap(),
        resource: "mcp:files/read_file".parse().unwrap(),
        arguments: Json::parse(r#"{"path": "/srv/invoices/2026/11/4711.pdf", "encoding": "base64"}"#).unwrap(),
        attributes: Default::default(),
        labels: vec!["untrusted-input".parse().unwrap()],
    };
    let component = ComponentRef {
        name: "files".parse().unwrap(),
        digest: Digest::of(b"component"),
        config: Some(Digest::of(b"config")),
        signer: Some(vak_types::KeyId::of(&[1; 32])),
    };
    let reason = Reason {
        source: Source::Component(component.into()),
        effect: Effect::Permit,
        rule: Some("invoices".to_owned()),
        failure: None,
        message: "invoices may be read by billing".to_owned(),
    };
    let verdict = Verdict { decision: Decision::Allow, reasons: vec![reason], retry_after_ms: None, unsigned: false };
    (request.at("0b8a7c52-3d5c-4f5e-9a31-5b0f3f2c7d10".parse().unwrap(), Timestamp::from_nanos(1)), verdict)
}

fn encoding(action: &Action, verdict: &Verdict) {
    let start = Instant::now();
    for _ in 0..1_000_000 {
        std::hint::black_box(Draft::decision(std::hint::black_box(action), verdict).unwrap());
    }
    println!("encode on the caller's thread: {:.2} µs", start.elapsed().as_secs_f64());
}

/// Entries a second of `batch` entries a write and sync.
fn raw(folder: &Path, batch: usize) -> f64 {
    let mut file = File::create(folder.join("raw")).unwrap();
    let bytes = vec![1; batch * ENTRY_BYTES];
    let (start, mut batches) = (Instant::now(), 0_u32);
    while start.elapsed() < Duration::from_secs(SECONDS) {
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
        batches += 1;
    }
    std::fs::remove_file(folder.join("raw")).unwrap();
    let rate = f64::from(batches) / start.elapsed().as_secs_f64();
    println!("raw, {batch} a write: {rate:.0} syncs/s, {:.0} entries/s", rate * batch as f64);
    rate * batch as f64
}

fn open(path: &Path) -> (Log, Origin, Signer) {
    let origin: Origin = "example.org/audit".parse().unwrap();
    let signer = || Signer::new(origin.clone(), &[7; 32]);
    (Log::open(path, origin.clone(), signer(), &Options::default()).unwrap(), origin.clone(), signer())
}

fn durable(folder: &Path, in_flight: usize, action: &Action, verdict: &Verdict, raw: f64) {
    let path = folder.join(format!("audit-{in_flight}.db"));
    let (log, origin, signer) = open(&path);
    let append = || async {
        let start = Instant::now();
        let receipt = log.append(Draft::decision(action, verdict).unwrap(), Tier::Durable).await.unwrap();
        (receipt, start.elapsed())
    };
    let mut appends: FuturesUnordered<_> = (0..in_flight).map(|_| append()).collect();
    let (start, cpu) = (Instant::now(), cpu());
    let (mut entries, mut commits, mut last) = (0_u64, 0_u64, None);
    let mut latencies = Vec::new();
    while start.elapsed() < Duration::from_secs(SECONDS) {
        let (receipt, latency) = block_on(appends.next()).unwrap();
        let Receipt::Durable { checkpoint, .. } = receipt else { panic!("not durable") };
        commits += u64::from(last.replace(checkpoint.clone()) != Some(checkpoint));
        entries += 1;
        latencies.push(latency);
        appends.push(append());
    }
    let (elapsed, cpu) = (start.elapsed(), self::cpu() - cpu);
    while block_on(appends.next()).is_some() {}
    drop(appends);
    log.close().unwrap();
    latencies.sort_unstable();
    let rate = entries as f64 / elapsed.as_secs_f64();
    println!(
        "durable, {in_flight} in flight: {rate:.0} entries/s ({:.2} of raw), {:.0} commits/s of {:.0}, p50 {:?}, p99 {:?}, CPU {:.2} µs an entry",
        rate / raw,
        commits as f64 / elapsed.as_secs_f64(),
        entries as f64 / commits as f64,
        latencies[latencies.len() / 2],
        latencies[latencies.len() * 99 / 100],
        cpu.as_secs_f64() * 1e6 / entries as f64,
    );
    let start = Instant::now();
    let size = verify(&path, &origin, signer.verifier(), None, |_, _| ()).unwrap().checkpoint.size();
    let seconds = start.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(&path).unwrap().len();
    println!("  verify: {:.0} entries/s; {} bytes of file an entry", size as f64 / seconds, bytes / size);
    std::fs::remove_file(&path).unwrap();
}

fn accepted(folder: &Path, action: &Action, verdict: &Verdict) {
    let (log, ..) = open(&folder.join("accepted.db"));
    let (start, cpu, mut entries) = (Instant::now(), cpu(), 0_u64);
    while start.elapsed() < Duration::from_secs(SECONDS) {
        block_on(log.append(Draft::decision(action, verdict).unwrap(), Tier::Accepted)).unwrap();
        entries += 1;
    }
    log.close().unwrap();
    let rate = entries as f64 / start.elapsed().as_secs_f64();
    let cpu = (self::cpu() - cpu).as_secs_f64() * 1e6 / entries as f64;
    println!("accepted, one caller, until drained: {rate:.0} entries/s, CPU {cpu:.2} µs an entry");
}

/// User and system time of this process, from Linux's clock ticks of 10 ms.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let ticks: u64 =
        stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2).flat_map(str::parse::<u64>).sum();
    Duration::from_millis(ticks * 10)
}
