//! Another configuration while the host runs.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};
use vak::config::Reload;
use vak::{Changes, Config, Host, Prepared};

use crate::{Configured, explain};

/// Nothing has to happen for so long before files are read: whoever writes one
/// mostly writes it several times, and others with it.
const QUIET: Duration = Duration::from_millis(100);

/// But who writes all the time is not waited for longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Between one reading and the next, unless somebody asks for it.
const PAUSE: Duration = Duration::from_millis(500);

/// Reads a host's configuration again when it changes.
pub(crate) struct Reloading {
    configured: Configured,
    files: Option<Watch>,
}

/// Why it is read again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Because {
    /// Something may be another. If nothing is, nothing is done.
    Changed,
    /// Somebody asked for it, perhaps since something is another that does not
    /// show in the configuration, such as a secret.
    Asked,
}

impl Reloading {
    /// Reads the configuration for the first time, and watches it from before that.
    pub(crate) fn start(configured: Configured) -> anyhow::Result<(Config, Self)> {
        let files = match Watch::start() {
            Ok(files) => Some(files),
            Err(error) => {
                tracing::error!("the files can't be watched ({error}): the configuration is read again at SIGHUP only");
                None
            }
        };
        let mut reloading = Self { configured, files };
        reloading.watch(&[]);
        let config = reloading.configured.load()?;
        reloading.watch(&[&config]);
        Ok((config, reloading))
    }

    fn watch(&mut self, configs: &[&Config]) {
        let Some(files) = &mut self.files else { return };
        if let Err(error) = files.changes.watch(&self.configured.config, configs) {
            tracing::warn!("not all of the configuration is watched for changes: {error}");
        }
    }

    /// Lets what is configured decide, for as long as this is not dropped. What
    /// does not load leaves what was before.
    pub(crate) async fn run(mut self, host: Arc<Host>, mut hangups: Signal) {
        let mut next = Instant::now();
        loop {
            let because = tokio::select! {
                Some(()) = hangups.recv() => Because::Asked,
                () = changed(self.files.as_mut(), next) => Because::Changed,
                else => return,
            };
            // What was to be watched still is.
            if because == Because::Changed && host.config().reload == Reload::Signal {
                continue;
            }
            match self.reload(&host, because).await {
                Ok(seq) => {
                    host.reloads().current();
                    if let Some(seq) = seq {
                        tracing::warn!(seq, "another configuration decides from here on");
                    }
                }
                Err(error) => {
                    let why = explain(&error);
                    tracing::error!("the configuration stays as it is: {why}");
                    host.reloads().failed(why);
                }
            }
            next = Instant::now() + PAUSE;
        }
    }

    /// The place of the entry of a configuration that decides since, if there is
    /// one.
    async fn reload(&mut self, host: &Arc<Host>, because: Because) -> anyhow::Result<Option<u64>> {
        let now = host.config();
        let config = match self.configured.load() {
            Ok(config) => config,
            Err(error) => {
                self.watch(&[&now]);
                return Err(error);
            }
        };
        // Before anything that it names is read. What decides is watched too: it is
        // to go on as soon as it is whole again.
        self.watch(&[&now, &config]);
        let beside = Arc::clone(host);
        // Compiling takes seconds, and calls go on meanwhile.
        let prepared: Prepared = tokio::task::spawn_blocking(move || beside.prepare(config)).await??;
        if because == Because::Changed && host.is_running(&prepared)? {
            return Ok(None);
        }
        Ok(Some(host.switch_to(prepared).await?.seq()))
    }
}

/// The files, and a thread that waits for something to happen to them.
struct Watch {
    changes: Changes,
    ask: Sender<()>,
    happened: Arc<Notify>,
    /// Whether it waits, or has not been heard yet.
    asked: bool,
}

impl Watch {
    fn start() -> std::io::Result<Self> {
        let (changes, happened) = (Changes::new()?, Arc::new(Notify::new()));
        let (ask, asked) = channel();
        let (waiter, tell) = (changes.waiter(), Arc::clone(&happened));
        // It ends with the process, or when nobody asks any more.
        std::thread::Builder::new().name("vak-reload".to_owned()).spawn(move || {
            while asked.recv().is_ok() {
                if let Err(error) = waiter.wait() {
                    tracing::error!("changes of the configuration's files are not seen any more: {error}");
                    return;
                }
                tell.notify_one();
            }
        })?;
        Ok(Self { changes, ask, happened, asked: false })
    }

    /// Ends when something has changed and then nothing has for a while, and not
    /// before `next`. Nothing is lost if this is dropped before and the files are
    /// read then.
    async fn changed(&mut self, next: Instant) {
        while !self.something().await {}
        let latest = (Instant::now() + PATIENCE).max(next);
        sleep_until(next).await;
        loop {
            let quiet = (Instant::now() + QUIET).min(latest);
            // What happens beside it puts nothing off.
            let more = async { while !self.something().await {} };
            if timeout_at(quiet, more).await.is_err() || Instant::now() >= latest {
                return;
            }
        }
    }

    /// Waits until something happened. Whether it counts.
    async fn something(&mut self) -> bool {
        if !self.asked {
            // A thread that has ended said why.
            self.asked = self.ask.send(()).is_ok();
        }
        self.happened.notified().await;
        self.asked = false;
        self.changes.take().unwrap_or_else(|error| {
            tracing::warn!("what happened to the configuration's files is not known: {error}");
            true
        })
    }
}

/// Never if nobody watches.
async fn changed(watch: Option<&mut Watch>, next: Instant) {
    match watch {
        Some(watch) => watch.changed(next).await,
        None => std::future::pending().await,
    }
}
