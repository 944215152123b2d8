//! What one call may use.

use vak_types::{Kind, LimitSettings};

/// What one call into a component may use. Each limit is enforced on its own;
/// the first to be reached ends the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallLimits {
    /// Bytes over all linear memories together; at most 256 MiB.
    pub memory_bytes_max: usize,
    /// Elements over all tables together; at most 100,000.
    pub table_elements_max: usize,
    /// Instructions, as wasmtime counts fuel: about one a WebAssembly
    /// instruction. The same call uses the same fuel on every machine.
    pub fuel_max: u64,
    /// Milliseconds of wall time, to the next 5. The backstop for
    /// what fuel does not count, and the one limit that is not deterministic.
    pub wall_ms_max: u64,
    /// Bytes that may be copied out of the guest in one crossing: its answer,
    /// or the arguments of a host call.
    pub output_bytes_max: usize,
    /// Calls into the host.
    pub host_calls_max: u32,
}

/// A component asks for more than it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "asks for `{limit}` = {asked}, more than the {most} it gets; set `limits.{limit}` for it, or choose another version"
)]
pub struct TooMuch {
    /// The limit.
    pub limit: &'static str,
    /// What it asks for.
    pub asked: u64,
    /// What it gets.
    pub most: u64,
}

/// How often the clock that stops a call is looked at: short against
/// [`CallLimits::POLICY`], long against what a thread that wakes up costs.
pub(crate) const TICK_MS: u64 = 5;

/// The largest value of [`CallLimits::memory_bytes_max`]: a JavaScript engine
/// with a large page in it. Address space is set aside for this many bytes in
/// every slot of the pool.
pub(crate) const MEMORY_BYTES_MAX: usize = 256 << 20;

/// The largest value of [`CallLimits::table_elements_max`].
pub(crate) const TABLE_ELEMENTS_MAX: usize = 100_000;

/// Stack of a guest: deep enough for a recursive parser, and it has to fit
/// into what is left of a 2 MiB thread. Belongs to the engine, not to a call.
pub(crate) const STACK_BYTES_MAX: usize = 512 << 10;

impl CallLimits {
    /// For a judgement, which stands in the way of the agent: 20 million
    /// instructions are 20 to 50 ms. The wall time leaves room for a busy
    /// machine, so that a component that spins ends the same way each time.
    pub const POLICY: Self = Self {
        memory_bytes_max: 64 << 20,
        table_elements_max: 20_000,
        fuel_max: 20_000_000,
        wall_ms_max: 250,
        output_bytes_max: 64 << 10,
        host_calls_max: 100,
    };

    /// For a tool call, which an agent waits for.
    pub const SKILL: Self = Self {
        memory_bytes_max: 128 << 20,
        table_elements_max: 20_000,
        fuel_max: 2_000_000_000,
        wall_ms_max: 5_000,
        output_bytes_max: 1 << 20,
        host_calls_max: 1_000,
    };

    /// For baking a configuration, which happens at installation: parsing
    /// 50,000 rules takes about a second. Memory and tables are those of the
    /// calls that follow, see `to_configure`.
    pub const CONFIGURE: Self = Self {
        memory_bytes_max: MEMORY_BYTES_MAX,
        table_elements_max: 20_000,
        fuel_max: 5_000_000_000,
        wall_ms_max: 30_000,
        output_bytes_max: 64 << 10,
        host_calls_max: 100,
    };

    /// What a call into a component of this kind may use, if nobody says
    /// otherwise.
    pub const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Policy | Kind::Scorer | Kind::Adapter => Self::POLICY,
            Kind::Skill => Self::SKILL,
        }
    }

    /// These limits with those of `settings` in place.
    #[must_use]
    pub fn with(self, settings: &LimitSettings) -> Self {
        let size = |setting: Option<u64>, limit: usize| {
            setting.map_or(limit, |setting| usize::try_from(setting).unwrap_or(usize::MAX))
        };
        Self {
            memory_bytes_max: size(settings.memory_bytes_max, self.memory_bytes_max),
            table_elements_max: size(settings.table_elements_max, self.table_elements_max),
            fuel_max: settings.fuel_max.unwrap_or(self.fuel_max),
            wall_ms_max: settings.wall_ms_max.unwrap_or(self.wall_ms_max),
            output_bytes_max: size(settings.output_bytes_max, self.output_bytes_max),
            host_calls_max: settings
                .host_calls_max
                .map_or(self.host_calls_max, |calls| u32::try_from(calls).unwrap_or(u32::MAX)),
        }
    }

    /// The first limit that is larger here than in `most`: its name and both
    /// values.
    fn first_beyond(&self, most: &Self) -> Option<(&'static str, u64, u64)> {
        [
            ("memory_bytes_max", self.memory_bytes_max as u64, most.memory_bytes_max as u64),
            ("table_elements_max", self.table_elements_max as u64, most.table_elements_max as u64),
            ("fuel_max", self.fuel_max, most.fuel_max),
            ("wall_ms_max", self.wall_ms_max, most.wall_ms_max),
            ("output_bytes_max", self.output_bytes_max as u64, most.output_bytes_max as u64),
            ("host_calls_max", self.host_calls_max.into(), most.host_calls_max.into()),
        ]
        .into_iter()
        .find(|(_, wanted, most)| wanted > most)
    }

    /// What a component of `kind` gets that asks for `asked`, where the operator
    /// sets `given`. What it asks for can lower what its kind gets; more than
    /// that takes the operator's word.
    ///
    /// # Errors
    /// It asks for more than it gets.
    pub fn agreed(kind: Kind, asked: &LimitSettings, given: &LimitSettings) -> Result<Self, TooMuch> {
        let given_alone = Self::of(kind).with(given);
        match given_alone.with(asked).first_beyond(&given_alone) {
            Some((limit, asked, most)) => Err(TooMuch { limit, asked, most }),
            None => Ok(Self::of(kind).with(asked).with(given)),
        }
    }

    /// What baking may use for a component with these limits. Every call starts
    /// with the memory that configuring it took, so what does not fit into a
    /// call is refused before it is snapshotted, which takes several times as
    /// much.
    pub(crate) fn to_configure(self) -> Self {
        let Self { memory_bytes_max, table_elements_max, .. } = self;
        Self { memory_bytes_max, table_elements_max, ..Self::CONFIGURE }
    }

    /// The same, with each limit at most what the engine was built for.
    pub(crate) fn within_engine(self) -> Self {
        Self {
            memory_bytes_max: self.memory_bytes_max.min(MEMORY_BYTES_MAX),
            table_elements_max: self.table_elements_max.min(TABLE_ELEMENTS_MAX),
            ..self
        }
    }

    /// Ticks after which the call is stopped: rounded up, and one more because
    /// the next tick may be due at once.
    pub(crate) fn ticks(&self) -> u64 {
        self.wall_ms_max.div_ceil(TICK_MS) + 1
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_component_lowers_its_limits_and_an_operator_sets_them() {
        let fuel = |fuel: Option<u64>| LimitSettings { fuel_max: fuel, ..LimitSettings::default() };
        let default = CallLimits::POLICY.fuel_max;
        let cases = [
            (None, None, Some(default)),
            (Some(5), None, Some(5)),
            (Some(default + 1), None, None),
            (Some(default + 1), Some(default + 2), Some(default + 2)),
            (Some(default + 3), Some(default + 2), None),
            (None, Some(7), Some(7)),
            // The operator's word is the last one.
            (Some(5), Some(7), Some(7)),
            (Some(9), Some(7), None),
        ];
        for (asked, given, expected) in cases {
            let agreed = CallLimits::agreed(Kind::Policy, &fuel(asked), &fuel(given));
            assert_eq!(agreed.ok().map(|limits| limits.fuel_max), expected, "{asked:?} {given:?}");
        }
        // What is not asked for differently is what the operator gives, however little.
        let little = LimitSettings { memory_bytes_max: Some(1 << 20), ..LimitSettings::default() };
        let agreed = CallLimits::agreed(Kind::Policy, &fuel(Some(5)), &little);
        assert_eq!(agreed.unwrap().memory_bytes_max, 1 << 20);
    }
}
