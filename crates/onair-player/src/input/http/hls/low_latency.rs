//! Low latency: blocking playlist reloads, and requests for parts in advance (RFC 8216bis §6.2.5,
//! §6.3.7, §6.3.8). If a server does not keep its promises, its playlist is followed without low
//! latency from then on. This module is pure, except for the requests.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::net::web::WebUrl;
use crate::player::input::http::hls::fetch::{Fetch, FetchRange, join};
use crate::player::input::http::hls::follow::{Track, media};
use crate::player::input::http::hls::low_latency_trust::PrefetchedPart;
use crate::player::input::http::pull_error::PullError;
use crate::wire::hls::Media;

/// Maximum time for which a server may hold a request, in target durations, within
/// [`MIN_REQUEST_HOLD`] and [`MAX_REQUEST_HOLD`].
const MAX_HOLD_TARGET_DURATIONS: u32 = 3;
/// Minimum time for which a server may hold a request.
const MIN_REQUEST_HOLD: Duration = Duration::from_secs(3);
/// Maximum time for which a server may hold a request.
const MAX_REQUEST_HOLD: Duration = Duration::from_secs(6);
/// Minimum interval between requests, even if each list is new.
const MIN_REQUEST_INTERVAL: Duration = Duration::from_millis(20);
/// Extra time for a hinted part after the playlist has arrived.
const HINTED_PART_GRACE: Duration = Duration::from_millis(500);

impl Track {
    /// Waits until the playlist contains the next part, and fetches that part in advance if its
    /// address is known.
    pub(super) async fn reload_part(&mut self, fetch: &mut Fetch) -> Result<(), PullError> {
        let target = self.media.part_target.unwrap_or(MIN_REQUEST_INTERVAL);
        let pause = if self.trust.broken == 0 {
            MIN_REQUEST_INTERVAL
        } else {
            target.max(MIN_REQUEST_INTERVAL * 10)
        };
        sleep_until(self.loaded + pause).await;
        let wanted = (self.next, self.part);
        let mut questions =
            vec![("_HLS_msn", wanted.0.to_string()), ("_HLS_part", wanted.1.to_string())];
        // An update needs a recent version of the list.
        let is_fresh = |until: Duration| self.loaded.elapsed() < until / 2;
        if !self.trust.no_updates && self.media.control.skip_until.is_some_and(is_fresh) {
            questions.push(("_HLS_skip", "YES".to_owned()));
        }
        let hint = self.hinted();
        let held = (self.media.target_duration * MAX_HOLD_TARGET_DURATIONS)
            .clamp(MIN_REQUEST_HOLD, MAX_REQUEST_HOLD);
        let url = self.url.asking(&questions);
        let asked = Instant::now();
        let (list, part) =
            fetch.playlist_and_part(&url, held, hint.as_ref(), target + HINTED_PART_GRACE).await;
        self.trust.no_hints |= list.is_some() && hint.is_some() && part.is_none();
        self.early = hint.zip(part).map(|(place, data)| PrefetchedPart { place, data });
        let Some((text, from)) = list else {
            self.trust.broken("the server never answers a blocking request for a playlist");
            // Subtract the time for which the server has already been silent.
            let quiet = fetch.limits.quiet.saturating_sub(asked.elapsed()).max(MIN_REQUEST_HOLD);
            return self.refresh_within(fetch, quiet).await;
        };
        let read = media(&text, Some(&self.media));
        let Ok(read) = read else {
            // A delta update may be incomplete: request the whole list.
            if std::mem::replace(&mut self.trust.no_updates, true) {
                self.trust.broken("an update of the playlist is invalid");
            }
            return self.refresh(fetch).await;
        };
        self.take_list(text, &from, read)?;
        if self.media.ended || has(&self.media, wanted) {
            self.trust.kept();
        } else {
            self.trust.broken("the server answers a blocking request too early");
        }
        Ok(())
    }

    /// Returns the address of the next part, if the playlist hints at it and it may be requested in
    /// advance. The first part of each segment is not requested in advance, so that the bandwidth
    /// can be measured.
    fn hinted(&self) -> Option<FetchRange> {
        let hint = self.media.hint.as_ref().filter(|_| self.part > 0 && !self.trust.no_hints)?;
        let next = self.next == self.media.end() && self.part == self.media.pending.len();
        let range = match hint.range {
            None => None,
            // The end of the range is known only once the part arrives.
            Some((_, None)) => return None,
            Some((from, Some(length))) => Some((from, from.checked_add(length)?)),
        };
        let url = join(&self.url, &hint.uri).ok().filter(|_| next)?;
        Some((url, range))
    }

    /// Returns the URL of another playlist, with parameters that request at least the version that
    /// this playlist reports.
    pub(super) fn question(&self, other: &WebUrl) -> Option<WebUrl> {
        let same = |uri: &str| join(&self.url, uri).is_ok_and(|url| url == other.asking(&[]));
        let report = self.media.reports.iter().find(|report| same(&report.uri))?;
        if !self.is_low() {
            return None;
        }
        let mut questions = vec![("_HLS_msn", report.sequence.to_string())];
        questions.extend(report.part.map(|part| ("_HLS_part", part.to_string())));
        Some(other.asking(&questions))
    }
}

/// Returns true if a list contains this part of this segment, or the whole segment.
fn has(media: &Media, (number, part): (u64, usize)) -> bool {
    media.segment(number).is_some() || media.parts(number).len() > part
}
