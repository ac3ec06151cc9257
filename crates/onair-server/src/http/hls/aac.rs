//! AAC for players of HLS and DASH that do not take Opus. MPEG-TS never has Opus here. Other players that need AAC say so
//! in the query, except those of Apple's systems, which are known. There is no way to ask a player.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use axum::response::Response;

use crate::server::hls::listing::Listing;
use crate::server::hls::mpeg_ts::{TS_LIST_NAME, TS_MASTER_NAME};
use crate::server::http::caller::query_pairs;
use crate::server::http::hls::answers::{busy, missing, refused};
use crate::server::http::hls::request::{FIRST_SEGMENT_TIMEOUT, HlsRequest, HlsResource};
use crate::server::outputs::hls;
use crate::server::registry::Registry;
use crate::server::renditions::playlist_productions::PlaylistProduction;

/// Names Apple's player in its `User-Agent`.
const APPLE_PLAYER: &str = "AppleCoreMedia/";

/// Why the playlist must have AAC instead of Opus.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum AacNeed {
    /// The address says so.
    OfAddress,
    /// The player is known to need it.
    OfPlayer,
}

impl AacNeed {
    /// Returns the reason why this request needs AAC, if the stream has Opus.
    pub fn of(request: &HlsRequest<'_>, asked: &HlsResource) -> Option<Self> {
        match asked {
            HlsResource::Below(name) => {
                matches!(&**name, TS_MASTER_NAME | TS_LIST_NAME).then_some(Self::OfAddress)
            }
            HlsResource::Stream | HlsResource::Manifest => {
                Self::of_player(request.query, request.headers)
            }
        }
    }

    fn of_player(query: &str, headers: &HeaderMap) -> Option<Self> {
        if let Some((_, wanted)) = query_pairs(query).find(|(name, _)| *name == "audio") {
            return (wanted == "aac").then_some(Self::OfAddress);
        }
        let agent = headers.get(header::USER_AGENT).and_then(|it| it.to_str().ok());
        agent.is_some_and(|it| it.starts_with(APPLE_PLAYER)).then_some(Self::OfPlayer)
    }
}

/// Returns the playlist with AAC, whose encoder the first request starts.
///
/// # Errors
/// Fails with the response for the player.
pub(super) async fn with_aac(
    registry: &Arc<Registry>,
    production: &PlaylistProduction,
) -> Result<Arc<Listing>, Response> {
    let Some(playlist) = production.aac() else { return Err(missing()) };
    hls::ask_rendition(registry, production, &playlist).map_err(|why| refused(&why))?;
    let mut listing = playlist.listing();
    let ready = listing.wait_for(|it| it.is_ready() || it.has_ended());
    let ready = tokio::time::timeout(FIRST_SEGMENT_TIMEOUT, ready).await;
    let ready = ready.ok().and_then(Result::ok).map(|now| Arc::clone(&now));
    match ready {
        Some(now) if now.is_ready() => Ok(now),
        Some(_) => Err(missing()),
        None => Err(busy("There is no segment yet.\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_players_that_need_aac_get_it() {
        let need = |query: &str, agent: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::USER_AGENT, agent.parse().unwrap());
            AacNeed::of_player(query, &headers)
        };
        let phone = "AppleCoreMedia/1.0.0.22A3354 (iPhone; U; CPU OS 18_0 like Mac OS X; en_us)";
        for (query, agent, expected) in [
            ("", "Mozilla/5.0", None),
            ("audio=aac", "Mozilla/5.0", Some(AacNeed::OfAddress)),
            ("key=k&audio=aac", phone, Some(AacNeed::OfAddress)),
            ("", phone, Some(AacNeed::OfPlayer)),
            ("audio=opus", phone, None),
        ] {
            assert_eq!(need(query, agent), expected, "{query} {agent}");
        }
    }
}
