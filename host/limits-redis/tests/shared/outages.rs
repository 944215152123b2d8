//! Redis that is not there, or that is none.

use std::io::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use vak_limits_redis::{Shared, Sharing};

use super::server::{Redis, free_port, pretend, url};
use super::{action, action_of, host, quota, spends};

const SECOND: Duration = Duration::from_secs(1);

/// What a denied decision says and how long it took.
fn denied(host: &Shared) -> (String, Duration) {
    let start = Instant::now();
    let exceeded = host.reserve(&action(0)).unwrap_err();
    assert_eq!((exceeded.limit.as_str(), exceeded.retry_after), ("calls", Some(SECOND)), "{exceeded}");
    (exceeded.message, start.elapsed())
}

/// Denies soon, and then at once for a second.
fn is_bounded(port: u16, timeout_ms: u64) -> String {
    let host = Shared::new(&Sharing::new(&url(port), "vak", timeout_ms).unwrap(), vec![quota(100, 3_600)]).unwrap();
    let start = Instant::now();
    let (why, took) = denied(&host);
    // The rest is for a machine that does something else meanwhile.
    assert!(took < Duration::from_millis(timeout_ms + 250), "{took:?}");
    for _ in 0..500 {
        assert!(host.reserve(&action(0)).is_err());
    }
    assert!(start.elapsed() < Duration::from_millis(3 * timeout_ms + 500), "{:?}", start.elapsed());
    why
}

#[test]
fn what_is_leased_is_spent_and_then_denied_until_redis_is_back() {
    let port = free_port();
    let redis = Redis::at(port, &[]);
    let host = host(&redis.url(), vec![quota(100, 3_600)]);
    assert!(spends(&host, 0));
    drop(redis);
    assert_eq!((0..20).filter(|_| spends(&host, 0)).count(), 4, "the rest of a slice of 5");
    let (why, _) = denied(&host);
    assert!(
        why.starts_with(
            "agent `ada` is limited to 100 in 3600s in `*` on all hosts together, and Redis, which counts it, is away ("
        ),
        "{why}"
    );
    let _redis = Redis::at(port, &[]);
    thread::sleep(SECOND + Duration::from_millis(100));
    assert!(spends(&host, 0));
}

#[test]
fn a_host_starts_before_redis() {
    let port = free_port();
    let host = host(&url(port), vec![quota(100, 3_600)]);
    let (why, took) = denied(&host);
    assert!(why.contains("no connection") && took < SECOND, "{why}");
    let _redis = Redis::at(port, &[]);
    thread::sleep(SECOND + Duration::from_millis(100));
    assert!(spends(&host, 0));
}

#[test]
fn a_server_that_never_answers_costs_one_time_out_a_second() {
    let port = pretend(|stream| {
        thread::sleep(Duration::from_secs(60));
        drop(stream);
    });
    assert!(is_bounded(port, 50).contains("no answer in time"));
}

/// Each read would be in time.
#[test]
fn a_server_that_answers_byte_by_byte_does_neither() {
    let port = pretend(|mut stream: TcpStream| {
        for byte in b"*4\r\n:5\r\n:1\r\n:1\r\n:0".iter().chain([b'0'; 5_000].iter()) {
            thread::sleep(Duration::from_millis(10));
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
        }
    });
    assert!(is_bounded(port, 50).contains("no answer in time"));
}

/// The system's lookup has no time-out. This name has no address anywhere.
#[test]
fn looking_up_a_name_holds_nobody_up() {
    let sharing = Sharing::new("redis://redis.invalid:6379/0", "vak", 50).unwrap();
    let host = Shared::new(&sharing, vec![quota(100, 3_600)]).unwrap();
    let (_, took) = denied(&host);
    assert!(took < Duration::from_millis(300), "{took:?}");
}

#[test]
fn what_is_no_answer_denies() {
    for answer in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"\0\0\0\0\0\0\0\0",
        b"-ERR unknown command\r\n",
        b"-LOADING Redis is loading\r\n",
        b"+OK\r\n",
        b":5\r\n",
        b"*-1\r\n",
        b"$-1\r\n",
        b"*0\r\n",
        b"*3\r\n:5\r\n:1\r\n:1\r\n",
        b"*4\r\n:5\r\n:1\r\n:1\r\n",
        // More than was asked for, less than was needed, too long, no number.
        b"*4\r\n:6\r\n:1\r\n:1\r\n:0\r\n",
        b"*4\r\n:0\r\n:1\r\n:1\r\n:0\r\n",
        b"*4\r\n:5\r\n:1\r\n:9000000000\r\n:0\r\n",
        b"*4\r\n:5\r\n:-1\r\n:1\r\n:0\r\n",
        b"*4\r\n:-1\r\n:1\r\n:1\r\n:-1\r\n",
        b"*4\r\n$1\r\n5\r\n:1\r\n:1\r\n:0\r\n",
        b"*1000000000\r\n:1\r\n",
        b"*9223372036854775807\r\n",
        b"$9223372036854775807\r\nabc",
    ] {
        let port = pretend(move |mut stream: TcpStream| {
            stream.write_all(answer).ok();
            // Closed without a reset, which could overtake the answer.
            thread::sleep(Duration::from_millis(100));
        });
        is_bounded(port, 300);
    }
    let endless = pretend(|mut stream: TcpStream| {
        stream.write_all(b"$1000000000\r\n").ok();
        while stream.write_all(&[b'x'; 1 << 16]).is_ok() {}
    });
    is_bounded(endless, 300);
}

#[test]
fn a_key_of_another_type_denies() {
    let redis = Redis::start();
    let host = host(&redis.url(), vec![quota(20, 3_600)]);
    assert!(spends(&host, 0));
    redis.say(&format!("SET {} x", redis.keys()[0]));
    let (why, _) = denied(&host);
    assert!(why.contains("WRONGTYPE"), "{why}");
}

/// As Redis does with connections that are idle for long.
#[test]
fn a_connection_that_was_closed_is_made_again_without_a_denial() {
    let redis = Redis::start();
    let host = host(&redis.url(), vec![quota(20, 3_600)]);
    for _ in 0..5 {
        assert!(spends(&host, 0));
        redis.say("CLIENT KILL TYPE normal");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_password_and_a_database_are_used() {
    let redis = Redis::at(free_port(), &["--requirepass", "open sesame"]);
    let url = |password: &str| format!("redis://:{password}@127.0.0.1:{}/3", redis.port());
    assert!(spends(&host(&url("open%20sesame"), vec![quota(20, 3_600)]), 0));
    let (why, _) = denied(&host(&url("guess"), vec![quota(20, 3_600)]));
    assert!(why.contains("WRONGPASS") && !why.contains("guess"), "{why}");
    assert!(!format!("{:?}", Sharing::new(&url("open%20sesame"), "vak", 50).unwrap()).contains("sesame"));
}

/// Others get their leases while one agent has no room and does not stop asking.
#[test]
fn a_flood_without_room_is_not_passed_on() {
    let redis = Redis::start();
    let host = host(&redis.url(), vec![quota(20, 3_600)]);
    assert_eq!((0..20_000).filter(|_| spends(&host, 0)).count(), 20);
    assert!(redis.asked() < 200, "{}", redis.asked());
    assert!(host.reserve(&action_of("bob", "s", 0)).is_ok());
}
