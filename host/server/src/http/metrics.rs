//! What happened, in numbers, as Prometheus reads them.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::StatusCode;
use vak::{Decision, Name, Statistics};

use super::tools::Counts;

/// What requests are told apart by. What is not one of these is the last.
const ROUTES: [&str; 13] = [
    "/v1/decide",
    "/v1/outcome",
    "/v1/execute",
    "/v1/sessions",
    "/v1/batch",
    "/v1/adapters/{name}/ingest",
    "/mcp",
    "/health",
    "/ready",
    "/live",
    "/metrics",
    "/openapi.json",
    "other",
];

/// The statuses that are answered. What is not one of these is the last.
const STATUSES: [&str; 16] =
    ["200", "400", "401", "403", "404", "405", "408", "409", "411", "413", "415", "422", "500", "503", "504", "other"];

/// Upper ends of the buckets, in seconds: from a decision that waits for no disk
/// to one that waits for a person who restarts it.
const BUCKETS: [(&str, Duration); 12] = [
    ("0.0001", Duration::from_micros(100)),
    ("0.00025", Duration::from_micros(250)),
    ("0.0005", Duration::from_micros(500)),
    ("0.001", Duration::from_millis(1)),
    ("0.0025", Duration::from_micros(2_500)),
    ("0.005", Duration::from_millis(5)),
    ("0.01", Duration::from_millis(10)),
    ("0.025", Duration::from_millis(25)),
    ("0.1", Duration::from_millis(100)),
    ("0.5", Duration::from_millis(500)),
    ("2.5", Duration::from_millis(2_500)),
    ("10", Duration::from_secs(10)),
];

/// How an allowed action ended, as the server counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Reported,
    /// Nobody reported in time, or others took its place.
    Unreported,
    /// Its verdict never left.
    Withdrawn,
    /// The log did not take it.
    Lost,
}

const ENDS: [(End, &str); 4] =
    [(End::Reported, "reported"), (End::Unreported, "unreported"), (End::Withdrawn, "withdrawn"), (End::Lost, "lost")];

#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long things took. Each is counted in one bucket; Prometheus wants each
/// bucket with those below, which is what is printed.
#[derive(Debug, Default)]
struct Histogram {
    buckets: [Count; BUCKETS.len()],
    beyond: Count,
    nanos: AtomicU64,
}

impl Histogram {
    fn observe(&self, took: Duration) {
        let bucket = BUCKETS.iter().position(|(_, end)| took <= *end).and_then(|at| self.buckets.get(at));
        bucket.unwrap_or(&self.beyond).add();
        self.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn print(&self, name: &str, labels: &str, text: &mut String) -> std::fmt::Result {
        let mut below = 0;
        for (count, (end, _)) in self.buckets.iter().zip(BUCKETS) {
            below += count.get();
            writeln!(text, "{name}_bucket{{{labels},le=\"{end}\"}} {below}")?;
        }
        let all = below + self.beyond.get();
        writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {all}")?;
        writeln!(text, "{name}_sum{{{labels}}} {}", self.nanos.load(Ordering::Relaxed) as f64 / 1e9)?;
        writeln!(text, "{name}_count{{{labels}}} {all}")
    }
}

/// All that is counted.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    requests: [[Count; STATUSES.len()]; ROUTES.len()],
    took: [Histogram; ROUTES.len()],
    ends: [Count; ENDS.len()],
    /// Connections that were taken.
    pub(crate) accepted: Count,
    /// Connections that were closed at once, since there were too many.
    pub(crate) refused: Count,
    /// Requests that were answered as they had been before.
    pub(crate) repeated: Count,
}

/// What is measured when it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Now {
    pub(crate) connections: usize,
    pub(crate) waiting: usize,
    pub(crate) verdicts: [(Decision, u64); 4],
    pub(crate) log_writable: bool,
    pub(crate) policies: usize,
    /// Whether another configuration is there, which does not load.
    pub(crate) stale: bool,
    pub(crate) reloads_failed: u64,
    /// Components that have stopped. `None` if nobody knows which.
    pub(crate) withdrawn: Option<usize>,
    /// By name.
    pub(crate) adapters: Vec<(Name, Statistics)>,
    pub(crate) upstreams: Counts,
}

impl Metrics {
    pub(crate) fn answered(&self, path: &str, status: StatusCode, took: Duration) {
        let last = ROUTES.len() - 1;
        let route = ROUTES.iter().position(|route| is_route(path, route)).unwrap_or(last);
        let status = STATUSES.iter().position(|word| *word == status.as_str()).unwrap_or(STATUSES.len() - 1);
        if let (Some(requests), Some(histogram)) = (self.requests.get(route), self.took.get(route)) {
            requests.get(status).into_iter().for_each(Count::add);
            histogram.observe(took);
        }
    }

    pub(crate) fn ended(&self, end: End) {
        let at = ENDS.iter().position(|(it, _)| *it == end);
        at.and_then(|at| self.ends.get(at)).into_iter().for_each(Count::add);
    }

    /// The text format, version 0.0.4.
    pub(crate) fn print(&self, now: &Now) -> String {
        let mut text = String::with_capacity(16 << 10);
        // Writing to a string does not fail.
        self.write(now, &mut text).unwrap_or_default();
        text
    }

    fn write(&self, now: &Now, text: &mut String) -> std::fmt::Result {
        head(text, "vak_http_requests_total", "counter", "Requests that were answered.")?;
        for (route, counts) in ROUTES.iter().zip(&self.requests) {
            for (status, count) in STATUSES.iter().zip(counts).filter(|(_, count)| count.get() > 0) {
                writeln!(text, "vak_http_requests_total{{route=\"{route}\",status=\"{status}\"}} {}", count.get())?;
            }
        }
        let name = "vak_http_request_duration_seconds";
        head(text, name, "histogram", "From a request's headers to its answer.")?;
        for (route, histogram) in ROUTES.iter().zip(&self.took) {
            histogram.print(name, &format!("route=\"{route}\""), text)?;
        }
        head(text, "vak_decisions_total", "counter", "Actions that were decided.")?;
        for (decision, count) in now.verdicts {
            writeln!(text, "vak_decisions_total{{decision=\"{decision}\"}} {count}")?;
        }
        head(text, "vak_outcomes_total", "counter", "Allowed actions that have ended.")?;
        for ((_, end), count) in ENDS.iter().zip(&self.ends) {
            writeln!(text, "vak_outcomes_total{{end=\"{end}\"}} {}", count.get())?;
        }
        head(text, "vak_adapter_messages_total", "counter", "Messages of frameworks.")?;
        for (name, it) in &now.adapters {
            let told = [("asked", it.asked), ("ended", it.ended), ("neither", it.neither), ("refused", it.refused)];
            for (about, count) in told {
                writeln!(text, "vak_adapter_messages_total{{adapter=\"{name}\",about=\"{about}\"}} {count}")?;
            }
        }
        head(text, "vak_adapter_actions_total", "counter", "Actions that messages of frameworks asked for.")?;
        for (name, it) in &now.adapters {
            let told = [
                ("allow", it.allowed),
                ("backtrack", it.backtracked),
                ("escalate", it.escalated),
                ("deny", it.denied),
                ("blocked", it.blocked),
                ("passed", it.passed),
            ];
            for (end, count) in told {
                writeln!(text, "vak_adapter_actions_total{{adapter=\"{name}\",end=\"{end}\"}} {count}")?;
            }
        }
        let single = [
            ("vak_http_connections_accepted_total", "counter", "Connections that were taken.", self.accepted.get()),
            ("vak_http_connections_refused_total", "counter", "Connections beyond the most.", self.refused.get()),
            ("vak_http_repeated_total", "counter", "Requests answered as before, by their id.", self.repeated.get()),
            ("vak_http_connections", "gauge", "Connections that are open.", now.connections as u64),
            ("vak_outcomes_waiting", "gauge", "Allowed actions that wait for their outcome.", now.waiting as u64),
            ("vak_log_writable", "gauge", "Whether the log takes entries.", now.log_writable.into()),
            ("vak_policies", "gauge", "Policies that decide.", now.policies as u64),
            ("vak_reload_failed_total", "counter", "Configurations that did not load.", now.reloads_failed),
            ("vak_configuration_stale", "gauge", "Whether the newest configuration does not load.", now.stale.into()),
            (
                "vak_components_withdrawn",
                "gauge",
                "Components that a marketplace withdrew and that have stopped.",
                now.withdrawn.unwrap_or_default() as u64,
            ),
            (
                "vak_withdrawals_readable",
                "gauge",
                "Whether it is known what marketplaces withdrew.",
                now.withdrawn.is_some().into(),
            ),
        ];
        for (name, kind, help, value) in single {
            head(text, name, kind, help)?;
            writeln!(text, "{name} {value}")?;
        }
        head(text, "vak_upstreams", "gauge", "MCP servers whose tools can be called, by how they are.")?;
        for (word, count) in now.upstreams.by_word() {
            writeln!(text, "vak_upstreams{{is=\"{word}\"}} {count}")?;
        }
        Ok(())
    }
}

/// Whether `path` is of `route`, in which at most one part is a name.
fn is_route(path: &str, route: &str) -> bool {
    match (route.split_once('{'), route.split_once('}')) {
        (Some((start, _)), Some((_, end))) => {
            let name = path.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
            name.is_some_and(|name| !name.contains('/'))
        }
        _ => path == route,
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_in_one_bucket_and_printed_with_those_below() {
        let histogram = Histogram::default();
        for micros in [50, 100, 101, 3_000, 20_000_000] {
            histogram.observe(Duration::from_micros(micros));
        }
        let mut text = String::new();
        histogram.print("x", "a=\"b\"", &mut text).unwrap();
        let counts: Vec<_> = text.lines().map(|line| line.rsplit_once(' ').unwrap().1).collect();
        assert_eq!(counts, ["2", "3", "3", "3", "3", "4", "4", "4", "4", "4", "4", "4", "5", "20.003251", "5"]);
    }
}
