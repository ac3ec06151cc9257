//! Ids of strips.

/// The id of a strip, assigned by the mixer's owner.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StripId(pub u32);

impl StripId {
    /// The strip that every program has.
    pub const MAIN: Self = Self(0);
}

/// A clip indicator, or all of them.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum StripLamp {
    All,
    Program,
    Strip(StripId),
}
