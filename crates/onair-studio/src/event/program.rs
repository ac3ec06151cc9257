//! The program that an event is about.

/// The program of a target, a recording or an encoder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProgramName {
    /// The main program.
    #[default]
    Main,
    /// The program on the second canvas.
    Second,
    /// One source alone, with this name.
    Source(String),
}

impl ProgramName {
    /// Returns the name of the program in events; a source alone is no program.
    pub const fn program(&self) -> Option<&'static str> {
        match self {
            Self::Main => Some("main"),
            Self::Second => Some("second"),
            Self::Source(_) => None,
        }
    }

    /// Returns the name of the source that is recorded alone.
    pub fn source(&self) -> Option<&str> {
        match self {
            Self::Main | Self::Second => None,
            Self::Source(name) => Some(name),
        }
    }
}
