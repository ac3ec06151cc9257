//! Regular reloads of a live playlist while listed segments still wait. Without these reloads, a
//! viewer far behind the live edge would request segments that have left the server's window.

use std::time::Duration;

use tokio::time::Instant;

use crate::player::input::http::hls::fetch::Fetch;
use crate::player::input::http::hls::follow::Track;

/// Minimum interval between these reloads.
const MIN_RELOAD_INTERVAL: Duration = Duration::from_secs(1);

impl Track {
    /// Reloads a live playlist that is older than a target duration. If that fails, the known
    /// playlist continues: its rest may still be playable.
    pub(super) async fn keep_current(&mut self, fetch: &mut Fetch) {
        let target = self.media.target_duration.max(MIN_RELOAD_INTERVAL);
        let can_grow = self.is_live() && !self.media.ended;
        // Within a segment, a newer list may no longer contain the remaining parts.
        if !can_grow || self.part > 0 || self.loaded.elapsed() <= target {
            return;
        }
        // A playlist that does not arrive must not delay the segments for long.
        let quiet = fetch.limits.quiet.min(target);
        if let Err(error) = self.refresh_within(fetch, quiet).await {
            tracing::debug!(?error, "reloading the playlist failed");
            self.loaded = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    use super::*;
    use crate::base::Timestamp;
    use crate::net::web::WebUrl;
    use crate::player::buffer::dvr_window::{SeekTarget, WindowRange};
    use crate::player::buffer::pace::LiveDistance;
    use crate::player::input::http::request::PullRequest;

    /// Returns a live playlist of ten segments of ten seconds.
    fn list(first: u64) -> String {
        let head = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n";
        let segments = (first..first + 10).map(|number| format!("#EXTINF:10,\n{number}.aac\n"));
        format!("{head}#EXT-X-MEDIA-SEQUENCE:{first}\n{}", segments.collect::<String>())
    }

    /// Starts a server whose window begins at segment 20. Returns its port and the requested paths.
    async fn serve() -> (u16, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let requests = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let mut socket = BufReader::new(socket);
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    assert!(socket.read_line(&mut head).await.unwrap() > 0);
                }
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                let body = if path == "/list.m3u8" { list(20) } else { String::new() };
                requests.lock().push(path);
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (port, asked)
    }

    /// Records the range of the list before the window moves on.
    fn see(ask: &PullRequest) {
        let hold_back = Duration::from_secs(25);
        let distance = LiveDistance { hold_back, least: hold_back, at_once: false };
        let (from, until) = (Duration::ZERO, Duration::from_secs(100));
        let range = WindowRange { from, until, grows: true, slides: true };
        ask.dvr_window.see(Timestamp::ZERO, range, distance);
    }

    /// Returns the first segment that is requested after the window has moved on.
    async fn first_segment(has_gone_back: bool, has_paused: bool) -> Option<String> {
        let (port, asked) = serve().await;
        let url = WebUrl::parse(&format!("http://127.0.0.1:{port}/list.m3u8")).unwrap();
        let ask = PullRequest::usual(url.clone());
        let mut fetch = Fetch::new(&ask);
        let mut track = Track::new(&url, list(0).into(), &ask.buffer).unwrap();
        see(&ask);
        if has_gone_back {
            track.seek(&mut fetch, Duration::ZERO).await;
        }
        if has_paused {
            assert!(ask.dvr_window.hold());
        }
        // The playlist was loaded 20 s ago.
        track.loaded -= Duration::from_secs(20);
        // The empty segments are unreadable; only the requests matter.
        let _ = track.next(&mut fetch).await;
        let asked = asked.lock();
        asked.iter().find(|path| path.ends_with(".aac")).cloned()
    }

    #[tokio::test]
    async fn a_viewer_far_behind_requests_no_segment_that_has_left_the_window() {
        let first = first_segment(true, false).await;
        assert_eq!(first.as_deref(), Some("/20.aac"));
    }

    #[tokio::test]
    async fn a_viewer_continues_at_the_oldest_segment_after_a_long_pause() {
        for (has_paused, segment) in [(true, "/20.aac"), (false, "/27.aac")] {
            let first = first_segment(false, has_paused).await;
            assert_eq!(first.as_deref(), Some(segment));
        }
    }

    #[tokio::test]
    async fn a_seek_after_a_pause_that_is_longer_than_the_list_reaches_the_position() {
        const PAUSE: Duration = Duration::from_secs(110);
        let (port, _) = serve().await;
        let url = WebUrl::parse(&format!("http://127.0.0.1:{port}/list.m3u8")).unwrap();
        let ask = PullRequest::usual(url.clone());
        // In 10 s, one segment came and went unseen, or ten shorter ones.
        for first in [9, 0] {
            // A step back from the position of the pause, two steps ahead, and the live edge.
            for (behind, position, segment) in
                [(90, 110, 20), (60, 120, 21), (50, 130, 22), (0, 180, 27)]
            {
                let mut track = Track::new(&url, list(first).into(), &ask.buffer).unwrap();
                track.loaded -= PAUSE;
                track.changed -= PAUSE;
                see(&ask);
                ask.dvr_window.hold();
                let now = Timestamp::ZERO + PAUSE;
                let target = ask.dvr_window.seek_behind_live(Duration::from_secs(behind), now);
                let (SeekTarget::Back(to) | SeekTarget::Live { place: to, .. }) = target.unwrap();
                let begins = track.seek(&mut Fetch::new(&ask), to).await.as_secs();
                assert_eq!(track.next, segment, "{first} {behind}");
                // The server answers a little later.
                assert!((position..position + 5).contains(&begins), "{first} {behind}: {begins}");
            }
        }
    }
}
