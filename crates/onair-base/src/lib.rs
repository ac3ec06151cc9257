//! The lowest floor of onair: basic parts (`base`), the texts in two languages (`text`) and media types
//! (`media`).

use onair_platform as platform;

pub mod base;
pub mod media;
pub mod text;
