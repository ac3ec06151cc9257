//! A body that is read from beginning to end: an endless broadcast, or a recording, with seeking if
//! the server supports ranges.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::media::VideoCodec;
use crate::net::web::{Flow, Unavailable};
use crate::net::{self, Step};
use crate::player::input::http::byte_seek::recording::{Recorded, SeekFound};
use crate::player::input::http::byte_seek::resync::StreamFormat;
use crate::player::input::http::pull_error::PullError;
use crate::player::input::http::range::download::Download;
use crate::player::input::http::range::parts::RangeParts;
use crate::player::input::http::request::{Item, PullRequest};
use crate::text::problem::problem;
use crate::wire::container::{flv, ts};

/// See the module documentation.
#[derive(Debug)]
pub(super) struct Single {
    flow: Download,
    unpack: Unpack,
    /// State for a recording.
    recorded: Option<Recorded>,
    /// Items to return first.
    first: VecDeque<Item>,
    /// The requested position.
    wanted: Option<Duration>,
    /// True if the position of the current data was reported.
    placed: bool,
    /// The total length, once reported.
    length: Option<Duration>,
}

/// The demuxer.
#[derive(Debug)]
enum Unpack {
    Flv { reader: Box<flv::Reader> },
    Ts { demuxer: Box<ts::Demuxer>, events: ts::StreamEvents, items: VecDeque<Item> },
}

impl Unpack {
    /// Creates a demuxer for data that begins with a header.
    fn new(form: StreamFormat, decodable: fn(VideoCodec) -> bool) -> Self {
        match form {
            StreamFormat::Flv => Self::Flv { reader: Box::new(flv::Reader::of_player(decodable)) },
            StreamFormat::Ts => Self::ts(),
        }
    }

    fn ts() -> Self {
        let (events, items) = (ts::StreamEvents::default(), VecDeque::new());
        Self::Ts { demuxer: Box::default(), events, items }
    }

    fn form(&self) -> StreamFormat {
        match self {
            Self::Flv { .. } => StreamFormat::Flv,
            Self::Ts { .. } => StreamFormat::Ts,
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Flv { reader } => reader.push(bytes),
            Self::Ts { demuxer, events, items } => {
                demuxer.push(bytes, &mut |event| take(event, events, items));
            }
        }
    }

    /// Handles the end of the data.
    fn finish(&mut self) {
        if let Self::Ts { demuxer, events, items } = self {
            demuxer.finish(&mut |event| take(event, events, items));
        }
    }

    fn next(&mut self) -> Result<Option<Item>, PullError> {
        match self {
            Self::Flv { reader } => {
                let read = reader.next_tag().map_err(|error| PullError::flv(&error))?;
                Ok(read.map(|read| Item::Tag(Box::new(read))))
            }
            Self::Ts { items, .. } => Ok(items.pop_front()),
        }
    }

    /// Continues at byte `at`, where the time is about `time_ms`, with these codec configs. Returns
    /// that time as the next data counts it, in microseconds, and the configs.
    fn go_to<'a>(
        &mut self,
        at: u64,
        time_ms: u32,
        configs: impl Iterator<Item = &'a flv::Tag>,
    ) -> (i64, Vec<Item>) {
        match self {
            Self::Flv { reader } => {
                reader.go_to(at);
                let configs = configs.map(|tag| Item::Tag(Box::new(reader.read(tag.clone()))));
                let configs = configs.collect();
                // A config may have another time than its data.
                (reader.set_time(time_ms), configs)
            }
            Self::Ts { .. } => {
                *self = Self::ts();
                (i64::from(time_ms) * 1_000, Vec::new())
            }
        }
    }

    /// Returns the number of bytes that have not become events yet.
    fn held(&self) -> u64 {
        match self {
            Self::Flv { reader } => reader.pending() as u64,
            Self::Ts { demuxer, .. } => demuxer.held() as u64,
        }
    }
}

fn take(event: ts::Event, events: &mut ts::StreamEvents, items: &mut VecDeque<Item>) {
    events.take(event, &mut |event| items.push_back(Item::Event(event)));
}

impl Single {
    /// Creates a reader for `flow`; `start` is the part that was already read. `whole` is the total
    /// length in bytes, if known.
    pub fn new(
        form: StreamFormat,
        flow: Flow,
        start: &BytesMut,
        whole: Option<u64>,
        ask: &PullRequest,
    ) -> Self {
        let recorded = whole.map(|whole| {
            let parts = RangeParts::new(flow.url().clone(), ask.net.clone(), whole);
            Recorded::new(form, parts.found_by(&ask.url).of(flow.mark()))
        });
        let mut unpack = Unpack::new(form, ask.decodable);
        unpack.push(start);
        Self {
            flow: Download::new(flow, start.len() as u64, whole),
            unpack,
            recorded,
            first: VecDeque::new(),
            wanted: None,
            placed: false,
            length: None,
        }
    }

    /// Returns the name of the format.
    pub fn format(&self) -> &'static str {
        match self.unpack.form() {
            StreamFormat::Flv => "flv",
            StreamFormat::Ts => "mpegts",
        }
    }

    /// Returns the length of the recording, if it is known and seeking is possible.
    pub fn duration(&self) -> Option<Duration> {
        self.length
    }

    /// Works like [`duration`](Self::duration), but waits for the server's answer first.
    pub async fn settle(&mut self) -> Option<Duration> {
        if let Some(recorded) = &mut self.recorded {
            recorded.answer().await;
            self.length = recorded.length();
        }
        self.length
    }

    /// Returns true if the server may support ranges.
    pub fn may_be_moved(&self) -> bool {
        self.recorded.as_ref().is_some_and(|it| it.is_asking() || it.length().is_some())
    }

    /// Returns true during the search for a requested position. The search has a separate time
    /// limit.
    pub fn is_looking(&self) -> bool {
        let looks = |it: &Recorded| it.is_searching() || self.wanted.is_some() && it.is_asking();
        self.recorded.as_ref().is_some_and(looks)
    }

    /// See [`Download::can_go_on`].
    pub fn can_go_on(&self) -> bool {
        self.flow.can_go_on()
    }

    /// See [`Download::go_on`].
    pub async fn go_on(
        &mut self,
        ask: &PullRequest,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<Result<(), Unavailable>, net::Error> {
        self.flow.go_on(&ask.url, &ask.net, on_step).await
    }

    /// Starts a seek to this position. Playback continues there once the position is found.
    pub fn seek(&mut self, to: Duration) {
        self.wanted = Some(to);
    }

    /// Returns the next item. After the end, seeking back is still possible. The call is
    /// cancel-safe and waits without a limit.
    pub async fn next(&mut self) -> Result<Item, PullError> {
        loop {
            if let Some(recorded) = &mut self.recorded {
                if let Some(to) = self.wanted.filter(|_| recorded.has_begun()) {
                    // The range support of the server is not known yet.
                    if recorded.is_asking() {
                        recorded.answer().await;
                        continue;
                    }
                    self.wanted = None;
                    if !recorded.seek(to) {
                        return Ok(Item::Unmoved(problem!("play-seek-from-start")));
                    }
                }
                if recorded.is_searching() {
                    match recorded.found().await {
                        Ok(found) => self.land(found),
                        Err(why) => return Ok(Item::Unmoved(why)),
                    }
                }
            }
            if let Some(item) = self.first.pop_front() {
                return Ok(item);
            }
            if !self.is_length_settled() {
                self.length = self.recorded.as_ref().and_then(Recorded::length);
                if let Some(length) = self.length {
                    return Ok(Item::Length(length));
                }
            }
            match self.unpack.next()? {
                Some(item) => self.come(item),
                None => {
                    let Some(bytes) = self.bytes().await? else {
                        self.unpack.finish();
                        // Seeking back from the end is possible once range support is known.
                        if let Some(recorded) = &mut self.recorded
                            && recorded.is_asking()
                        {
                            recorded.answer().await;
                        }
                        match self.unpack.next()? {
                            Some(item) => self.come(item),
                            None if self.is_length_settled() => return Ok(Item::END),
                            None => {}
                        }
                        continue;
                    };
                    self.unpack.push(&bytes);
                }
            }
        }
    }

    /// Returns true if the length was reported or is unknown.
    fn is_length_settled(&self) -> bool {
        self.length.is_some() || self.recorded.as_ref().and_then(Recorded::length).is_none()
    }

    /// Queues an item. It is returned next, or after a failed seek.
    fn come(&mut self, item: Item) {
        if let Some(recorded) = &mut self.recorded {
            let read = self.flow.taken().saturating_sub(self.unpack.held());
            let media = match &item {
                Item::Tag(tag) => recorded.note(tag, read).then_some(tag.tag.time_ms),
                Item::Event(event) => recorded.note_event(event),
                _ => None,
            };
            if let Some(time_ms) = media.filter(|_| !std::mem::replace(&mut self.placed, true)) {
                self.first.push_back(Item::Place(recorded.place(time_ms)));
            }
        }
        self.first.push_back(item);
    }

    /// Returns the next bytes. They are empty if the answer about the length arrived in the
    /// meantime.
    async fn bytes(&mut self) -> Result<Option<Bytes>, net::Error> {
        match &mut self.recorded {
            Some(recorded) if recorded.is_asking() => tokio::select! {
                bytes = self.flow.next() => bytes,
                () = recorded.answer() => Ok(Some(Bytes::new())),
            },
            _ => self.flow.next().await,
        }
    }

    /// Continues at the found position.
    fn land(&mut self, found: SeekFound) {
        let SeekFound { flow, at, time_ms, place } = found;
        self.flow = flow;
        let configs = self.recorded.iter().flat_map(|it| it.configs_before(at));
        let (raw, configs) = self.unpack.go_to(at, time_ms, configs);
        self.first = [Item::Moved { raw, place, firm: false }].into();
        self.first.extend(configs);
        self.placed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::container::flv::{Tag, TagKind};

    #[test]
    fn the_time_of_a_seek_counts_as_the_times_of_its_data() {
        const CONFIG: &[u8] = b"\x17\0\0\0\0\x01d";
        const FRAME: &[u8] = b"\x17\x01\0\0\0\0\0\0\x01e";
        // Times that wrap after the beginning, and times above 2³¹ after a config at zero.
        for (config_ms, begins) in [(u32::MAX - 9_999, u32::MAX - 9_999), (0, 2_200_000_000)] {
            let mut unpack = Unpack::new(StreamFormat::Flv, |_| true);
            let mut start = BytesMut::from(&flv::file_header(false, true)[..]);
            flv::write_tag(TagKind::Video, config_ms, CONFIG, &mut start);
            flv::write_tag(TagKind::Video, begins, FRAME, &mut start);
            unpack.push(&start);
            while unpack.next().unwrap().is_some() {}
            let to = begins.wrapping_add(20_000);
            let body = Bytes::from_static(CONFIG);
            let config = Tag { kind: TagKind::Video, time_ms: config_ms, body };
            let (raw, configs) = unpack.go_to(1_000, to, std::iter::once(&config));
            let mut rest = BytesMut::new();
            flv::write_tag(TagKind::Video, to.wrapping_sub(40), FRAME, &mut rest);
            unpack.push(&rest);
            let Some(Item::Tag(read)) = unpack.next().unwrap() else { panic!("no frame") };
            assert_eq!((configs.len(), raw - read.dts.as_micros()), (1, 40_000), "{begins}");
        }
    }
}
