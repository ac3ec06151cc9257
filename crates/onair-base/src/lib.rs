//! The lowest floor of onair: basic parts (`base`), the texts in two languages (`text`) and media types
//! (`media`).

pub mod base;
pub mod media;
pub mod text;
