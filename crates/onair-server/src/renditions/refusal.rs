//! The reasons why a rendition is not available.

use crate::text::problem::{Problem, problem};

/// The reason why a rendition is not available, for the viewer and the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The stream has no such rendition, or is not larger than the rendition.
    Absent,
    /// The server already encodes this many renditions, which is the limit.
    Full(usize),
    /// The load of the CPU would be this high, in percent. `is_passing` is true if that is only an estimate, which the
    /// next measurements replace.
    Busy { percent: u32, is_passing: bool },
    /// The encoder did not keep up with the stream.
    TooSlow,
    /// The video cannot be decoded.
    Decoder(Problem),
    /// The rendition cannot be encoded.
    Encoder(Problem),
    /// The system cannot start a thread.
    Thread(String),
}

impl Refusal {
    /// Returns the name in figures and events.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Full(_) => "limit",
            Self::Busy { .. } => "cpu",
            Self::TooSlow => "too-slow",
            Self::Decoder(_) => "decoder",
            Self::Encoder(_) => "encoder",
            Self::Thread(_) => "thread",
        }
    }

    /// Returns true if the next request can succeed at once, so that the rendition is not kept from starting.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Absent | Self::Busy { is_passing: true, .. })
    }
}

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Absent => problem!("rendition-absent"),
            Refusal::Full(most) => problem!("rendition-limit", most = *most),
            Refusal::Busy { percent, .. } => problem!("rendition-cpu", percent = *percent),
            Refusal::TooSlow => problem!("rendition-too-slow"),
            Refusal::Decoder(reason) => problem!("rendition-decoder", reason = reason.clone()),
            Refusal::Encoder(reason) => problem!("rendition-encoder", reason = reason.clone()),
            Refusal::Thread(reason) => problem!("rendition-thread", reason = reason.clone()),
        }
    }
}
