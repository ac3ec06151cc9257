//! The rules of relays: for which streams, in which direction, and to or from which addresses.

use std::borrow::Cow;
use std::time::Duration;

use crate::net::rtmp::Options;
use crate::server::access::stream_pattern::matches;
use crate::server::event::relay::Direction;
use crate::server::registry::relays::target::RelayTarget;

/// Maximum number of rules.
pub const MAX_RELAY_RULES: usize = 64;
/// Maximum number of addresses in a rule.
pub const MAX_TARGETS: usize = 16;

/// A rule of relays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayRule {
    pub direction: Direction,
    /// `app/stream`, or a pattern: `*` is any text without a slash, and `**` any text.
    pub streams: String,
    /// True for a pull that begins when a viewer requests the stream.
    pub on_demand: bool,
    /// The addresses in the order of attempts.
    pub targets: Vec<RelayTarget>,
    /// How long a pull on demand continues without viewers.
    pub linger: Duration,
    /// The connection options.
    pub options: Options,
}

impl RelayRule {
    /// The range of `linger`.
    pub const LINGER_RANGE: (Duration, Duration) =
        (Duration::from_secs(1), Duration::from_mins(10));
    /// The default of `linger`.
    pub const DEFAULT_LINGER: Duration = Duration::from_secs(10);

    /// Returns true if the rule is for this stream.
    pub fn applies_to(&self, app: &str, stream: &str) -> bool {
        matches(&self.streams, &format!("{app}/{stream}"))
    }

    /// Returns the application and the stream of a rule without a pattern.
    pub fn only_stream(&self) -> Option<(&str, &str)> {
        self.streams.rsplit_once('/').filter(|_| !self.streams.contains('*'))
    }

    /// Returns the text without the keys of the addresses.
    pub fn hidden<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.targets.iter().fold(Cow::Borrowed(text), |text, target| match target.hidden(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(hidden) => Cow::Owned(hidden),
        })
    }

    /// Returns true if the other rule has the same addresses and options.
    pub fn connects_like(&self, other: &Self) -> bool {
        (&self.targets, &self.options) == (&other.targets, &other.options)
    }

    /// Returns true for a pull that always runs.
    pub fn is_static_pull(&self) -> bool {
        self.direction == Direction::Pull && !self.on_demand
    }
}
