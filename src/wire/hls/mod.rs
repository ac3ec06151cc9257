//! HLS playlists (RFC 8216 and its second edition): what a text says, within bounds, and texts that say
//! it. Pure; where its parts are, is for others to find out.

mod attributes;
mod limits;
mod master;
mod media;
mod media_parser;
mod playlist;
mod writer;

pub use limits::{Error, MAX_SEGMENTS, MAX_TEXT};
pub use master::{Master, Rendition, Variant, VariantVideo};
pub use media::{Control, Hint, Key, Map, Media, Method, Part, Report, Segment, System};
pub use playlist::{Playlist, is_playlist, parse, parse_update};
pub use writer::{ListPosition, OfferedVariant, write_master, write_media};
