//! The viewers of recordings: who they are, and the files that they keep from deletion.

pub(crate) mod connected;
pub(crate) mod keeper;
