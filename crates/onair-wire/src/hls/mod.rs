//! HLS playlists (RFC 8216 and its second edition): a parser with limits, and a writer. This module has
//! no I/O; callers resolve the addresses.

mod address_query;
mod attributes;
mod limits;
mod master;
mod media;
mod media_parser;
mod playlist;
mod writer;

pub use address_query::{with_folder, with_query};
pub use limits::{Error, MAX_PLAYLIST_BYTES, MAX_SEGMENTS};
pub use master::{Master, Rendition, Variant, VariantVideo};
pub use media::{Control, Hint, Key, Map, Media, Method, Part, Report, Segment, System};
pub use playlist::{Playlist, first_address, is_playlist, parse, parse_update};
pub use writer::{
    ListPosition, MasterForm, OfferedAudio, OfferedVariant, write_master, write_master_with_audio,
    write_media,
};
