//! HLS and DASH over HTTP: playlists that can be requested in advance, segments and parts (RFC 8216bis
//! §6.2.5, §6.2.6), manifests, and segments that are sent while they grow. The headers let caches serve any
//! number of players with one request per object: an awaited playlist never changes its content, and files
//! never change.

mod aac;
mod answers;
mod broadcast;
mod download;
mod growing;
pub(super) mod recorded;
pub(super) mod request;
pub(super) mod slot;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;

use crate::base::Clock;
use crate::server::access::grant::AdmittedViewer;
use crate::server::event::{NoRoom, Protocol};
use crate::server::hls::Mode;
use crate::server::hls::listing::{
    AwaitedItem, File, Listing, MEDIA_PLAYLIST_NAME, TS_EXTENSION, WaitState,
};
use crate::server::hls::manifest::CLOCK_RESOURCE;
use crate::server::hls::mpeg_ts::{TS_LIST_NAME, TS_MASTER_NAME, TS_PREFIX};
use crate::server::hls::viewers::ViewerKey;
use crate::server::http::hls::aac::{AacNeed, with_aac};
use crate::server::http::hls::answers::{
    ChunkBody, MANIFEST_TYPE, MISSING_FILE_CACHE_CONTROL, MP4_MEDIA_TYPE, PLAYLIST_TYPE,
    ResponseHead, TS_MEDIA_TYPE, UNSUPPORTED_TS_TEXT, busy, cache_scope, disconnected, failed,
    file_age, missing, refused, sent_size, viewer_key,
};
use crate::server::http::hls::growing::Growing;
use crate::server::http::hls::request::{FIRST_SEGMENT_TIMEOUT, HlsRequest, HlsResource};
use crate::server::http::hls::slot::ActiveGuard;
use crate::server::http::path;
use crate::server::http::refusals::{no_such_stream, too_many_viewers};
use crate::server::outputs::hls;
use crate::server::recordings::playlist::broadcast::EVENT_PLAYLIST_NAME;
use crate::server::registry::Registry;
use crate::server::renditions::ladder::{AAC_RENDITION, is_rendition};
use crate::server::renditions::playlist::{RenditionKind, RenditionPlaylist};
use crate::server::renditions::playlist_productions::PlaylistProduction;
use crate::wire::dash::date_time;
use crate::wire::hls::{with_folder, with_query};

/// The file name extension of playlists.
const PLAYLIST_EXTENSION: &str = ".m3u8";
/// Maximum wait of a manifest for renditions.
const FIRST_RENDITIONS_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum wait of an early request, in target durations.
const MAX_HOLD_TARGET_DURATIONS: u32 = 3;
/// Maximum wait of an early request, whatever the target duration is.
const MAX_REQUEST_HOLD: Duration = Duration::from_secs(20);

/// The delivery directives of a playlist request.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
struct Directives {
    awaited: Option<AwaitedItem>,
    /// True for a delta update.
    update: bool,
}

impl Directives {
    /// Parses a query. Returns `None` if it is invalid. Caches store the playlist under directives that they read
    /// without decoding. If onair read others, the playlist would replace one that other players request.
    fn parse(query: &str) -> Option<Self> {
        const NAMES: [&str; 3] = ["_HLS_msn", "_HLS_part", "_HLS_skip"];
        if query.contains('?') && query.contains("_HLS_") {
            return None;
        }
        let mut values: [Option<&str>; 3] = [None; 3];
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            for (known, slot) in NAMES.iter().zip(&mut values) {
                let is_clear = name == *known && slot.replace(value).is_none();
                if name.eq_ignore_ascii_case(known) && !is_clear {
                    return None;
                }
            }
        }
        let [segment, part, skip] = values;
        let number = |value: Option<&str>| value.map(str::parse::<u64>).transpose().ok();
        let awaited = match (number(segment)?, number(part)?) {
            (Some(segment), part) => Some(AwaitedItem { segment, part }),
            (None, None) => None,
            (None, Some(_)) => return None,
        };
        Some(Self { awaited, update: matches!(skip, Some("YES" | "v2")) })
    }
}

/// Returns true if a name below `/{app}/{stream}/hls/` can be a file of HLS.
pub(super) fn is_file(name: &str) -> bool {
    name == MEDIA_PLAYLIST_NAME
        || name == CLOCK_RESOURCE
        || name == EVENT_PLAYLIST_NAME
        || name.ends_with(".m4s")
        || name.ends_with(".mp4")
        || matches!(name, TS_MASTER_NAME | TS_LIST_NAME)
        || name.ends_with(TS_EXTENSION)
        || name
            .strip_prefix(TS_PREFIX)
            .unwrap_or(name)
            .strip_suffix(".m3u8")
            .is_some_and(is_rendition)
}

/// Answers a request for a playlist, segment or part.
pub(super) async fn response(
    request: HlsRequest<'_>,
    viewer: AdmittedViewer,
    asked: &HlsResource,
) -> Response {
    let HlsRequest { registry, caller, headers, app, stream, .. } = &request;
    if matches!(asked, HlsResource::Below(name) if name == EVENT_PLAYLIST_NAME) {
        let Some(_settled) = ActiveGuard::new(registry, &caller.spot) else {
            return too_many_viewers(NoRoom::Server);
        };
        return broadcast::event(&request, viewer).await;
    }
    if registry.config.hls.mode == Mode::Off {
        let why = "HLS is off at this server, by the setting `hls`.\n";
        return failed(StatusCode::NOT_FOUND, why);
    }
    let Some(production) = hls::of_stream(registry, app, stream) else {
        let mut none = no_such_stream();
        none.headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static(MISSING_FILE_CACHE_CONTROL));
        return none;
    };
    if matches!(asked, HlsResource::Below(name) if name == CLOCK_RESOURCE) {
        let now = date_time(Clock::system_micros());
        return ([(header::CACHE_CONTROL, "no-store")], now).into_response();
    }
    let rendition = match asked {
        HlsResource::Below(name) => production.rendition(name),
        HlsResource::Stream | HlsResource::Manifest => None,
    };
    if let HlsResource::Below(name) = asked
        && rendition.is_none()
        && !matches!(&**name, MEDIA_PLAYLIST_NAME | TS_MASTER_NAME | TS_LIST_NAME)
        && name.ends_with(PLAYLIST_EXTENSION)
    {
        return missing();
    }
    let listing = rendition.as_ref().map_or_else(|| production.listing(), |it| it.listing());
    let is_dash = match asked {
        HlsResource::Stream => false,
        HlsResource::Manifest => true,
        HlsResource::Below(name) => listing.borrow().file(name).is_some_and(File::is_dash),
    };
    let protocol = if is_dash { Protocol::Dash } else { Protocol::Hls };
    let key = viewer_key(caller, headers, protocol);
    if production.is_barred(key, registry.clock.now()) {
        return disconnected();
    }
    // A waiting request does not count as an idle connection.
    let Some(settled) = ActiveGuard::new(registry, &caller.spot) else {
        return too_many_viewers(NoRoom::Server);
    };
    let source = (&production, rendition.as_deref(), listing);
    let waits = answer(&request, source, (key, viewer), asked, settled);
    let answered = tokio::select! {
        biased;
        () = registry.stopped() => busy("The server ends.\n"),
        answered = waits => answered,
    };
    answered
}

/// A stream that is being cut, the rendition to which a request belongs, and what is available of it.
type HlsSource<'a> =
    (&'a Arc<PlaylistProduction>, Option<&'a RenditionPlaylist>, watch::Receiver<Arc<Listing>>);

async fn answer(
    request: &HlsRequest<'_>,
    (production, rendition, mut listing): HlsSource<'_>,
    (key, viewer): (ViewerKey, AdmittedViewer),
    asked: &HlsResource,
    settled: ActiveGuard,
) -> Response {
    let name = match asked {
        HlsResource::Below(name) if !name.ends_with(PLAYLIST_EXTENSION) => name,
        _ => return list(request, (production, rendition, listing), (key, viewer), asked).await,
    };
    // A file starts no rendition, because its viewer is not counted.
    if let Some(rendition) = rendition {
        rendition.ask(request.registry.clock.now());
    }
    let now = Arc::clone(&listing.borrow_and_update());
    let Some(file) = now.file(name) else { return missing() };
    let found = match now.chunks(file) {
        _ if let File::Ts(number) = file => ts_segment(&now, number).await,
        Some(found) => Some(found),
        None if now.is_next(file) => {
            let there = |listing: &Listing| listing.chunks(file).is_some() || gone(listing, file);
            let held = held(&now);
            let then = tokio::time::timeout(held, listing.wait_for(|it| there(it))).await;
            then.ok().and_then(Result::ok).and_then(|listing| listing.chunks(file))
        }
        None => {
            if let File::Track(segment) = file
                && now.is_expected(segment.number)
            {
                let growing = Growing {
                    registry: Arc::clone(request.registry),
                    production: Arc::clone(production),
                    key,
                    _settled: settled,
                    held: held(&now),
                    listing,
                    segment,
                };
                let Some(body) = growing.body().await else { return missing() };
                return file_head(request, name).respond(request.headers, body);
            }
            None
        }
    };
    let Some(chunks) = found else { return missing() };
    let size: usize = chunks.iter().map(Bytes::len).sum();
    let registry = Arc::clone(request.registry);
    let body = ChunkBody { chunks: chunks.into(), left: size as u64, registry };
    let response = file_head(request, name).respond(request.headers, Body::new(body));
    production.count(key, sent_size(request.method, &response));
    response
}

/// Returns a segment as MPEG-TS, which the first request creates. Returns `None` if the segment
/// does not exist, or cannot be converted.
async fn ts_segment(listing: &Listing, number: u64) -> Option<Vec<Bytes>> {
    let segment = listing.segment(number)?;
    let make = async || {
        let source = Arc::clone(segment);
        tokio::task::spawn_blocking(move || source.make_ts()).await.ok().flatten()
    };
    segment.ts.get_or_init(make).await.clone().map(|bytes| vec![bytes])
}

/// Returns the header of a file, whose contents never change.
fn file_head(request: &HlsRequest<'_>, name: &str) -> ResponseHead {
    let kind = if name.ends_with(TS_EXTENSION) { TS_MEDIA_TYPE } else { MP4_MEDIA_TYPE };
    let age = file_age(cache_scope(request.registry, request.app), request.headers);
    ResponseHead { kind, age, tag: format!("\"{name}\"") }
}

/// Returns true if a missing file will not appear. Only parts can still appear, while their segment
/// and the playlist are not complete.
fn gone(listing: &Listing, file: File) -> bool {
    match file {
        File::Part { segment: number, discontinuity, .. } => {
            listing.has_ended()
                || listing.is_replaced(number, discontinuity)
                || listing.patience(AwaitedItem { segment: number, part: None }) != WaitState::Wait
        }
        _ => true,
    }
}

/// Answers a playlist request: master or media.
async fn list(
    request: &HlsRequest<'_>,
    (production, rendition, mut listing): HlsSource<'_>,
    (key, viewer): (ViewerKey, AdmittedViewer),
    asked: &HlsResource,
) -> Response {
    let Some(directives) = Directives::parse(request.query) else {
        let head = [(header::CACHE_CONTROL, "no-store")];
        let why = "_HLS_msn and _HLS_part are numbers, and no parameter occurs twice.\n";
        return (StatusCode::BAD_REQUEST, head, why).into_response();
    };
    let address = request.caller.address;
    if let Err(why) = hls::note_viewer(request.registry, production, key, address, viewer) {
        return too_many_viewers(why);
    }
    if let Some(rendition) = rendition
        && let Err(why) = hls::ask_rendition(request.registry, production, rendition)
    {
        return refused(&why);
    }
    let ready = listing.wait_for(|it| it.is_ready() || it.has_ended());
    let ready = tokio::time::timeout(FIRST_SEGMENT_TIMEOUT, ready).await;
    let Some(mut now) = ready.ok().and_then(Result::ok).map(|now| Arc::clone(&now)) else {
        return busy("There is no segment yet.\n");
    };
    if !now.is_ready() {
        return missing();
    }
    if let Some(awaited) = directives.awaited {
        match now.patience(awaited) {
            WaitState::Over => {}
            WaitState::TooFar => {
                return failed(StatusCode::BAD_REQUEST, "That is too far in the future.\n");
            }
            WaitState::Wait => match awaited_listing(&mut listing, awaited, held(&now)).await {
                Some(then) => now = then,
                None => return busy("This part or playlist did not appear in time.\n"),
            },
        }
    }
    let aac_need = AacNeed::of(request, asked).filter(|_| directives.awaited.is_none());
    let aac_need = aac_need.filter(|_| now.has_opus());
    if aac_need.is_some() {
        match with_aac(request.registry, production).await {
            Ok(listing) => now = listing,
            Err(refusal) => return refusal,
        }
    }
    let stream = path::encode_name(request.stream);
    let (text, form) = match asked {
        HlsResource::Below(name) if name == TS_MASTER_NAME => {
            // The renditions have the audio of the stream.
            let variants = match aac_need {
                Some(_) => Vec::new(),
                None => hls::variants(request.registry, production, &now),
            };
            let text = now.ts_master(variants);
            let Some(text) = text else {
                return failed(StatusCode::NOT_FOUND, UNSUPPORTED_TS_TEXT);
            };
            (text, "tm")
        }
        HlsResource::Below(name) if name.starts_with(TS_PREFIX) => {
            let Some(text) = now.ts_media() else {
                return failed(StatusCode::NOT_FOUND, UNSUPPORTED_TS_TEXT);
            };
            (text, "t")
        }
        HlsResource::Below(_) => (now.media(directives.update), ""),
        HlsResource::Stream if directives.awaited.is_some() => {
            (now.media_below(&format!("{stream}/hls/"), directives.update), "s")
        }
        HlsResource::Stream if aac_need.is_some() => {
            let name = format!("{AAC_RENDITION}{PLAYLIST_EXTENSION}");
            (now.master_of(&format!("{stream}/hls/"), name, &[]), "m")
        }
        HlsResource::Stream => {
            let variants = hls::variants(request.registry, production, &now);
            (now.master(&format!("{stream}/hls/"), &variants), "m")
        }
        HlsResource::Manifest => {
            let pass = request.pass.as_ref().map_or_else(String::new, |it| format!("?pass={it}"));
            let renditions = match aac_need {
                Some(_) => Vec::new(),
                None => dash_renditions(request.registry, production).await,
            };
            (now.manifest(&stream, &pass, &renditions), "d")
        }
    };
    let age = playlist_age(&now, directives.awaited);
    let text: Bytes = match asked {
        // The pass opens only the stream with the new name.
        HlsResource::Below(_) if request.renamed => {
            let folder = format!("../../{stream}/hls/");
            with_folder(&String::from_utf8_lossy(&text), &folder).into()
        }
        _ => text,
    };
    let text = match &request.pass {
        Some(pass) if *asked != HlsResource::Manifest => {
            with_query(&String::from_utf8_lossy(&text), &format!("pass={pass}")).into()
        }
        _ => text,
    };
    let update = if directives.update { "u" } else { "" };
    let tag = format!("\"{}{form}{update}\"", now.version());
    // Addresses at which players without Opus get AAC.
    let is_shared = matches!(*asked, HlsResource::Stream | HlsResource::Manifest)
        && aac_need.is_none()
        && directives.awaited.is_none();
    // A pass is for this viewer alone.
    let age = match request.pass.is_some() {
        true => "no-store".to_owned(),
        // Other players get another playlist at the same address.
        false if aac_need == Some(AacNeed::OfPlayer) => "no-store".to_owned(),
        false if is_shared && now.has_opus() => format!("private, max-age={age}"),
        false => format!("{}, max-age={age}", cache_scope(request.registry, request.app)),
    };
    let kind = if *asked == HlsResource::Manifest { MANIFEST_TYPE } else { PLAYLIST_TYPE };
    let head = ResponseHead { kind, age, tag };
    let response = head.respond(request.headers, Body::from(text));
    let size = sent_size(request.method, &response);
    production.count(key, size);
    request.registry.totals.sent_bytes.fetch_add(size, Ordering::Relaxed);
    response
}

/// Returns how many seconds caches keep a playlist. The playlist with an awaited item stays the same. A stream that has
/// ended does not let players wait, but may begin again with higher numbers.
fn playlist_age(listing: &Listing, awaited: Option<AwaitedItem>) -> u64 {
    let target = listing.target_duration().as_secs();
    match awaited {
        Some(AwaitedItem { segment, .. }) if segment <= listing.end_number() => target * 6,
        _ => (target / 2).max(1),
    }
}

/// Returns the renditions for DASH players, which may request any segment at any time. The server encodes all
/// renditions while somebody uses the manifest, as far as the CPU allows.
async fn dash_renditions(
    registry: &Arc<Registry>,
    production: &PlaylistProduction,
) -> Vec<(String, Arc<Listing>)> {
    let offered = hls::offered(registry, production);
    let asked = offered.iter().filter(|it| it.kind != RenditionKind::Audio);
    let asked = asked.filter(|it| hls::ask_rendition(registry, production, it).is_ok());
    let asked: Vec<_> = asked.map(|it| (it.name.clone(), it.listing())).collect();
    let mut ready = Vec::new();
    let limit = tokio::time::Instant::now() + FIRST_RENDITIONS_TIMEOUT;
    for (name, mut listing) in asked {
        let first = listing.wait_for(|it| it.is_ready());
        if let Ok(Ok(listing)) = tokio::time::timeout_at(limit, first).await {
            ready.push((name, Arc::clone(&listing)));
        }
    }
    ready
}

/// Waits at most `held` until the playlist has the awaited item. Returns `None` if the item does not appear in time, or
/// if the rendition ends: its playlist is then empty.
async fn awaited_listing(
    listing: &mut watch::Receiver<Arc<Listing>>,
    awaited: AwaitedItem,
    held: Duration,
) -> Option<Arc<Listing>> {
    let there = listing.wait_for(|it| it.patience(awaited) != WaitState::Wait);
    let then = tokio::time::timeout(held, there).await.ok().and_then(Result::ok);
    then.map(|then| Arc::clone(&then)).filter(|then| then.is_ready())
}

/// Returns the maximum wait of a request.
fn held(listing: &Listing) -> Duration {
    (listing.target_duration() * MAX_HOLD_TARGET_DURATIONS).min(MAX_REQUEST_HOLD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::net::Runtime;
    use crate::server::hls::Settings;
    use crate::server::hls::part::{Cut, Initialization, Part};
    use crate::server::hls::window::Window;
    use crate::server::renditions::refusal::Refusal;

    /// Returns a window with one segment, which has this number, this video and audio, and is not
    /// complete.
    pub(super) fn growing_window(
        number: u64,
        video: Option<Bytes>,
        audio: Option<Bytes>,
    ) -> Window {
        let initialization = Initialization {
            whole: Bytes::new(),
            video: None,
            audio: None,
            codecs: Vec::new(),
            size: None,
            frame_rate: None,
            hdr: None,
            sample_rate: None,
            ts: None,
        };
        let (start, duration) = (Timestamp::ZERO, Duration::from_secs(2));
        let part = Part { start, duration, independent: true, video, audio };
        let mut window = Window::new(Settings::default(), "a", (number, 0));
        window.take(vec![Cut::Begin(Box::new(initialization)), Cut::Part(part)], None, 0);
        window
    }

    /// Returns a playlist with one segment, which has this number.
    fn listing_with_segment(number: u64) -> Listing {
        let mut window = growing_window(number, Some(Bytes::from_static(b"frames")), None);
        window.take(vec![Cut::SegmentEnd], Some(Duration::from_secs(2)), 0);
        window.listing()
    }

    #[test]
    fn a_request_that_waits_for_an_ended_rendition_gets_no_empty_playlist() {
        let runtime = Runtime::start().unwrap();
        let (sender, mut listing) = watch::channel(Arc::new(listing_with_segment(100)));
        let mut then = |segment| {
            let awaited = AwaitedItem { segment, part: None };
            runtime.block_on(awaited_listing(&mut listing, awaited, Duration::ZERO))
        };
        assert!(then(100).is_some() && then(101).is_none());
        let next = File::Part { segment: 101, part: 0, discontinuity: false };
        assert!(!gone(&listing_with_segment(100), next));
        // The rendition ends, so its playlist is cleared.
        let empty = Arc::new(Window::of_rendition(Settings::default(), "a").listing());
        sender.send_replace(Arc::clone(&empty));
        assert!(then(101).is_none());
        assert!(gone(&empty, next), "the part does not come either");
    }

    #[test]
    fn caches_keep_a_playlist_only_for_numbers_that_cannot_come_again() {
        let listing = listing_with_segment(100);
        let age = |segment| playlist_age(&listing, Some(AwaitedItem { segment, part: None }));
        assert_eq!((age(100), age(101), age(102), age(u64::MAX)), (12, 12, 1, 1));
        assert_eq!(playlist_age(&listing, None), 1);
    }

    /// The page reads the time and the words, because other responses have the same status.
    #[test]
    fn the_viewer_page_knows_the_reasons_of_hls() {
        let page = include_str!("../../../../../assets/web/ll_hls.js");
        let knows = |response: Response| {
            let wait = response.headers()[header::RETRY_AFTER].to_str().unwrap();
            page.contains(&format!("const REFUSED_SECONDS = '{wait}';"))
        };
        assert!(knows(refused(&Refusal::TooSlow)));
        assert!(!knows(busy("")) && !knows(too_many_viewers(NoRoom::Server)));
        let body = axum::body::to_bytes(disconnected().into_body(), usize::MAX);
        let body = Runtime::start().unwrap().block_on(body).unwrap();
        let words = page.split_once("const DISCONNECTED = '").unwrap().1;
        let words = words.split_once('\'').unwrap().0;
        assert!(body.starts_with(words.as_bytes()), "{words}");
    }

    #[test]
    fn queries_are_read_whatever_they_contain() {
        let awaited = |segment, part| Some(AwaitedItem { segment, part });
        for (query, read) in [
            ("", Some(Directives::default())),
            ("token=a&x", Some(Directives::default())),
            ("_HLS_msn=7", Some(Directives { awaited: awaited(7, None), update: false })),
            (
                "_HLS_msn=7&_HLS_part=0&_HLS_skip=YES",
                Some(Directives { awaited: awaited(7, Some(0)), update: true }),
            ),
            ("_HLS_skip=v2", Some(Directives { awaited: None, update: true })),
            ("_HLS_part=1", None),
            ("_HLS_msn=-1", None),
            ("_HLS_msn=99999999999999999999", None),
            ("_HLS_msn=1&_HLS_part=x", None),
            // A cache stores these responses under other directives, or under none.
            ("%5FHLS_msn=7&_HLS_skip=%59ES", Some(Directives::default())),
            ("_HLS_msn=7&_HLS_msn=8", None),
            ("_hls_msn=7", None),
            ("x?_HLS_msn=7", None),
        ] {
            assert_eq!(Directives::parse(query), read, "{query}");
        }
    }

    #[test]
    fn only_names_that_a_production_gives_are_its_files() {
        assert!(is_file("main.m3u8") && is_file("a-1.m4s") && is_file("a-1.2.m4s"));
        assert!(is_file("ts.m3u8") && is_file("ts-list.m3u8") && is_file("a-1.ts"));
        assert!(is_file("480p.m3u8") && is_file("audio.m3u8"));
        assert!(is_file("ts-480p.m3u8") && is_file("ts-audio.m3u8") && !is_file("ts-x.m3u8"));
        assert!(!is_file("show.flv") && !is_file("show.m3u8") && !is_file("p.m3u8"));
    }
}
