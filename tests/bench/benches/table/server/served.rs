//! A server to measure.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use vak_test_support::{Site, binary};
use vak_types::Digest;

/// `vak serve`, running.
pub(super) struct Served {
    site: Site,
    child: Child,
    address: SocketAddr,
    token: String,
}

impl Served {
    pub(super) fn start(rules: &str, server: &str, release: &str) -> Self {
        let token = format!("vak_{}", Digest::of(b"bench").to_hex());
        let digest = Digest::of(token.as_bytes());
        let lines = format!(
            "[server]\nlisten = '127.0.0.1:0'\n{server}\n\
             [[server.tokens]]\nname = 'bench'\ndigest = '{digest}'\nscopes = ['decide']\nagents = ['bench']\n"
        );
        let site = Site::new().rules(rules).section(&lines);
        let mut command = Command::new(binary("vak"));
        command.args(["serve", "--set", &format!("audit.release={release}"), "--config"]).arg(site.config());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().parse().unwrap();
        Self { site, child, address, token }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) fn folder(&self) -> &Path {
        self.site.path()
    }

    /// What is resident of its memory.
    pub(super) fn megabytes(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        kibibytes * 1_024.0 / 1e6
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}
