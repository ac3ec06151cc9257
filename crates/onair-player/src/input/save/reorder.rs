//! The reorder buffer of a saved file: takes tags in arrival order, and returns them in DTS order.
//! This module is pure.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::media::Track;
use crate::player::clock::of_track;
use crate::wire::container::flv::TagKind;

/// Maximum time, in ms of the stream, for which a tag waits for the other track.
const MAX_WAIT_MS: i64 = 10_000;
/// Maximum total size of the waiting tags, in bytes.
const MAX_WAITING_BYTES: usize = 32 << 20;

/// A tag with its time in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PendingTag {
    pub(super) at: i64,
    pub(super) kind: TagKind,
    pub(super) body: Bytes,
}

/// The reorder buffer.
#[derive(Debug, Default)]
pub(super) struct ReorderBuffer {
    /// Tags sorted by time; equal times keep their order.
    waiting: VecDeque<PendingTag>,
    bytes: usize,
    /// Newest times of video and audio.
    newest: [Option<i64>; 2],
    /// The time of the last tag that was returned.
    left: i64,
}

impl ReorderBuffer {
    /// Adds a tag. A tag without its own time (`track` is `None`) follows the previous one of its
    /// kind.
    pub(super) fn push(&mut self, kind: TagKind, track: Option<(Track, i64)>, body: Bytes) {
        let [video, audio] = self.newest;
        let own = match kind {
            TagKind::Video => video,
            TagKind::Audio => audio,
            TagKind::Script => video.max(audio),
        };
        let at = match track {
            Some((track, at)) => {
                let newest = of_track(&mut self.newest, track);
                *newest = Some(newest.map_or(at, |last| last.max(at)));
                at
            }
            None => own.unwrap_or(self.left),
        };
        // A tag that is too late for its position gets the time of the last returned tag.
        let at = at.max(self.left);
        self.bytes += body.len();
        let place = self.waiting.partition_point(|other| other.at <= at);
        self.waiting.insert(place, PendingTag { at, kind, body });
    }

    /// Returns the next tag in order.
    pub(super) fn next(&mut self) -> Option<PendingTag> {
        let first = self.waiting.front()?;
        let [video, audio] = self.newest;
        let both = video.zip(audio).map(|(video, audio)| video.min(audio));
        let limit = video.max(audio).map(|newest| newest - MAX_WAIT_MS);
        let due = both.max(limit).is_some_and(|until| first.at <= until);
        if due || self.bytes > MAX_WAITING_BYTES { self.take() } else { None }
    }

    /// Returns the next tag without waiting for the other track, as at the end of the stream.
    pub(super) fn take(&mut self) -> Option<PendingTag> {
        let next = self.waiting.pop_front()?;
        self.bytes -= next.body.len();
        self.left = next.at;
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the output times of these tags, and the number of tags still waiting before the end.
    fn run(tags: &[(TagKind, i64)]) -> (Vec<(TagKind, i64)>, usize) {
        let (mut order, mut left) = (ReorderBuffer::default(), Vec::new());
        for (kind, at) in tags {
            let track = match kind {
                TagKind::Video => Some((Track::Video, *at)),
                TagKind::Audio => Some((Track::Audio, *at)),
                TagKind::Script => None,
            };
            order.push(*kind, track, Bytes::from_static(b"x"));
            left.extend(std::iter::from_fn(|| order.next()).map(|tag| (tag.kind, tag.at)));
        }
        let waiting = order.waiting.len();
        left.extend(std::iter::from_fn(|| order.take()).map(|tag| (tag.kind, tag.at)));
        (left, waiting)
    }

    use TagKind::{Audio as A, Script as S, Video as V};

    #[test]
    fn segments_of_two_lists_are_interleaved() {
        let video = (0..100).map(|n| (V, n * 40));
        let audio = (0..200).map(|n| (A, n * 20 + 5));
        let sent: Vec<_> = [(S, 0)].into_iter().chain(video).chain(audio).collect();
        let (left, waiting) = run(&sent);
        assert_eq!(left.len(), sent.len());
        assert!(left.is_sorted_by_key(|(_, at)| *at), "{left:?}");
        assert!(waiting <= 2, "{waiting}");
        assert_eq!(
            left.iter().filter(|(kind, _)| *kind == V).map(|(_, at)| *at).max(),
            Some(3_960)
        );
    }

    #[test]
    fn nobody_waits_for_ever_for_a_track_that_does_not_come() {
        let (left, waiting) = run(&(0..500).map(|n| (V, n * 40)).collect::<Vec<_>>());
        assert_eq!((left.len(), waiting), (500, 250));
        let both = [(V, 0), (A, 0)].into_iter().chain((1..1_000).map(|n| (V, n * 40)));
        let (left, waiting) = run(&both.chain([(A, 29_000)]).collect::<Vec<_>>());
        assert!(waiting <= 276, "{waiting}");
        assert!(left.is_sorted_by_key(|(_, at)| *at));
        // This tag arrives after the wait: only this tag loses its position.
        assert_eq!(left.iter().filter(|(kind, _)| *kind == A).count(), 2);
    }

    #[test]
    fn a_configuration_stays_in_front_of_what_it_configures() {
        let mut order = ReorderBuffer::default();
        let body = Bytes::from_static;
        order.push(V, Some((Track::Video, 1_000)), body(b"last of before"));
        order.push(V, None, body(b"configuration"));
        order.push(V, Some((Track::Video, 1_000)), body(b"first of after"));
        order.push(A, Some((Track::Audio, 900)), body(b"sound"));
        let bodies: Vec<_> = std::iter::from_fn(|| order.take()).map(|tag| tag.body).collect();
        assert_eq!(bodies, ["sound", "last of before", "configuration", "first of after"]);
    }

    #[test]
    fn bytes_that_wait_are_bounded() {
        let mut order = ReorderBuffer::default();
        let body = Bytes::from(vec![0; 1 << 20]);
        for at in 0..100 {
            order.push(V, Some((Track::Video, at)), body.clone());
            while order.next().is_some() {}
            assert!(order.bytes <= MAX_WAITING_BYTES);
        }
    }
}
