//! Reads Ogg, in which each page contains the number of samples up to its end. Chained streams,
//! each with its own header packets, are all read; the audio of each begins where the previous one
//! ends. Seeking works in files with one stream, because its page counts are continuous.

use crate::base::Timestamp;
use crate::wire::container::audio::ogg::{
    FIRST_PAGE_FLAG, LAST_PAGE_FLAG, MAX_CONFIG_BYTES, PAGE_HEADER_BYTES, Page, Reader,
};
use crate::wire::container::audio::packets::{Kind, audio_span, time};
use crate::wire::container::{
    Demuxer, Error, FilePart, Index, Link, ReadAt, SampleLocation, Unit, UnsupportedContent, read,
};

/// Maximum number of chained streams.
const MAX_CHAINED_STREAMS: usize = 4_096;
/// Maximum total size of the different headers of chained streams, in bytes.
const MAX_HEADER_BYTES: usize = 16 << 20;

/// Maximum number of known gaps between parts of packets. If there are more, the oldest ones belong
/// to packets that have already been read.
const MAX_GAPS: usize = 65_536;

/// The Ogg reader.
#[derive(Clone, Debug, Default)]
pub(super) struct Ogg {
    index: Index,
    begin: u64,
    /// True if all gaps between parts of packets are kept, without a limit.
    all: bool,
    /// Position of the next page.
    at: u64,
    /// Serial number and reader of the current stream.
    chosen: Option<(u32, Reader)>,
    /// True if the previous page was the first page of a stream.
    begins: bool,
    /// Codec of a stream that was skipped.
    unknown: Option<String>,
    /// Packets that were found while the headers were read.
    ready: Vec<SampleLocation>,
    /// The first stream, before any packet of it was read.
    first: Option<(u32, Reader)>,
    /// Microseconds added to the stream's own times; `None` before its first audio.
    later: Option<i64>,
    /// The known end of the current stream's audio.
    ends: Option<Timestamp>,
    /// The end of the file's audio.
    end: Option<Timestamp>,
    plays_from: Option<Timestamp>,
    /// End time of the packets that were read.
    reach: Timestamp,
    /// Total size of all header packets in bytes.
    heads: usize,
    /// True if the next page with a granule position defines the time of the packets before it.
    lands: bool,
}

impl Ogg {
    pub(super) fn new(begin: u64, all: bool) -> Self {
        let index = Index { to_play: true, finished: true, ..Index::default() };
        Self { index, begin, all, at: begin, ..Self::default() }
    }

    /// Reads a page. Returns false at the end.
    fn page(
        &mut self,
        source: &mut dyn ReadAt,
        found: &mut Vec<SampleLocation>,
    ) -> Result<bool, Error> {
        let page = Page::next(source, self.at)?.filter(|page| page.next <= source.size());
        let Some(page) = page else {
            if let Some((_, whole)) = self.chosen.take() {
                self.close(&whole);
            }
            self.end = self.ends;
            return Ok(false);
        };
        let begins = page.flags & FIRST_PAGE_FLAG != 0;
        // Parallel tracks all begin before any data. A track that begins later is the next in the chain.
        let beside = self.begins;
        // If bytes are missing, the page counts as unread.
        let mut chosen = self.chosen.clone();
        let mut before = None;
        if begins {
            before = chosen.take_if(|it| !beside || it.0 == page.serial);
            if self.is_full() {
                self.end = self.ends;
                return Ok(false);
            }
        }
        let mut whole = None;
        match &mut chosen {
            None if begins => {
                let length = (page.next - page.data).min(MAX_CONFIG_BYTES as u64);
                let bytes = read(source, page.data, length, MAX_CONFIG_BYTES, FilePart::Header)?;
                chosen = Reader::begin(&bytes).map(|reader| (page.serial, reader));
                if chosen.is_none() {
                    self.unknown.get_or_insert_with(|| codec_name(&bytes));
                }
                chosen = chosen.filter(|_| page.flags & LAST_PAGE_FLAG == 0);
            }
            Some((serial, reader)) if *serial == page.serial => {
                reader.page(source, &page)?;
                if page.flags & LAST_PAGE_FLAG != 0 {
                    whole = chosen.clone();
                }
            }
            _ => {}
        }
        (self.at, self.begins) = (page.next, begins);
        if let Some((_, before)) = before {
            self.close(&before);
        }
        let fresh = !self.is_begun();
        self.chosen = chosen;
        self.take(&page, found);
        if fresh && self.is_begun() && self.first.is_none() {
            self.first = self.chosen.as_ref().map(|(serial, reader)| (*serial, reader.emptied()));
        }
        if whole.is_some()
            && let Some((_, whole)) = self.chosen.take()
        {
            self.close(&whole);
        }
        Ok(true)
    }

    fn is_begun(&self) -> bool {
        self.later.is_some()
    }

    fn is_full(&self) -> bool {
        self.index.links.len() >= MAX_CHAINED_STREAMS || self.heads >= MAX_HEADER_BYTES
    }

    /// Adds the packets of a page.
    fn take(&mut self, page: &Page, found: &mut Vec<SampleLocation>) {
        let Some((_, reader)) = &mut self.chosen else { return };
        let begins = reader.begins();
        let open = reader.open_at();
        let base = reader.base();
        let Some(packets) = &mut reader.packets else { return };
        let holes = &mut packets.index.holes;
        let over = holes.partition_point(|hole| hole.at < open);
        self.index.holes.extend(holes.drain(..over));
        if self.index.holes.len() > MAX_GAPS && !self.all {
            self.index.holes.drain(..MAX_GAPS / 2);
        }
        let places = std::mem::take(&mut packets.index.samples);
        let Some(first) = places.first() else { return };
        let (rate, audio_tracks) = (packets.rate, &packets.index.tracks.audio);
        let begins = time(begins, rate);
        if self.index.tracks.audio.is_empty() {
            self.index.tracks.audio.clone_from(audio_tracks);
        } else if let (None, Some(audio)) = (self.later, audio_tracks.first())
            && let Some(ends) = self.ends
        {
            let mut config = audio.config.clone();
            let before = self.index.links.last().map(|link| &link.config);
            let before = before.or(self.index.tracks.audio.first().map(|it| &it.config));
            match before.filter(|before| before.codec_config == config.codec_config) {
                // Equal configs are stored once.
                Some(before) => config.codec_config = before.codec_config.clone(),
                None => self.heads += config.codec_config.len(),
            }
            self.index.links.push(Link { at: first.at, audible_from: ends, config });
        }
        let ends = self.ends;
        let its = || ends.map_or(0, |ends| ends.micros_since(begins));
        let mut later = *self.later.get_or_insert_with(its);
        self.plays_from.get_or_insert(begins);
        // After a seek, the first granule position identifies these packets.
        if std::mem::take(&mut self.lands)
            && page.flags & LAST_PAGE_FLAG == 0
            && let Some(count) = page.granule
        {
            let samples = count.cast_signed().saturating_sub(base).max(0).unsigned_abs();
            later = later.saturating_add(time(samples, rate).micros_since(packets.time_now()));
            packets.samples = samples;
        }
        self.reach = self.reach.max(packets.time_now().offset(later));
        found.extend(places.into_iter().map(|place| SampleLocation {
            dts: place.dts.offset(later),
            pts: place.pts.offset(later),
            ..place
        }));
    }

    /// Ends a stream.
    fn close(&mut self, whole: &Reader) {
        let Some(later) = self.later.take() else { return };
        if let Some((samples, rate)) = whole.ends() {
            let ends = time(samples, rate).offset(later);
            self.ends = Some(self.ends.map_or(ends, |before| before.max(ends)));
        }
    }
}

/// Returns the name of an unknown codec at the start of its first packet: `Speex`, `theora`.
fn codec_name(packet: &[u8]) -> String {
    let name = packet.iter().filter(|byte| byte.is_ascii_graphic()).take(8);
    format!("Ogg {}", name.map(|byte| char::from(*byte)).collect::<String>())
}

impl Demuxer for Ogg {
    fn name(&self) -> &'static str {
        Kind::Ogg.extension()
    }

    // Reads up to the first packets.
    fn head(&mut self, source: &mut dyn ReadAt) -> Result<(), Error> {
        let mut ready = std::mem::take(&mut self.ready);
        while ready.is_empty() {
            if !self.page(source, &mut ready)? {
                let codec = self.unknown.take().map(UnsupportedContent::Codec);
                return Err(codec.map_or(Error::Empty, Error::Unsupported));
            }
        }
        self.ready = ready;
        Ok(())
    }

    fn index(&self) -> &Index {
        &self.index
    }

    fn read_on(
        &mut self,
        source: &mut dyn ReadAt,
        found: &mut Vec<SampleLocation>,
    ) -> Result<bool, Error> {
        if !self.ready.is_empty() {
            found.append(&mut self.ready);
            return Ok(true);
        }
        self.page(source, found)
    }

    fn beginning(&self) -> Unit {
        Unit { time: Timestamp::ZERO, at: self.begin }
    }

    fn go_to(&mut self, unit: Unit) {
        let from_start = unit.at <= self.begin;
        let first = self.first.clone().filter(|_| !from_start);
        let known = std::mem::take(&mut self.index);
        *self = Self {
            at: unit.at,
            first: self.first.take(),
            end: self.end,
            plays_from: self.plays_from,
            ..Self::new(self.begin, self.all)
        };
        self.index.tracks = known.tracks;
        if let Some((serial, mut reader)) = first {
            reader.count_from(unit.time);
            self.chosen = Some((serial, reader));
            (self.later, self.lands) = (Some(0), true);
        }
    }

    fn end(&self) -> Option<Timestamp> {
        self.end
    }

    fn audible_from(&self) -> Option<Timestamp> {
        Some(self.plays_from.unwrap_or_default())
    }

    fn audio_span(&self) -> Option<(Timestamp, Timestamp)> {
        audio_span(self.plays_from.unwrap_or_default(), self.end.unwrap_or(self.reach), self.reach)
    }

    // Returns those pages of the first stream that follow another page of that stream.
    fn units_in(&self, bytes: &[u8], at: u64) -> Vec<Unit> {
        let Some((serial, first)) = &self.first else { return Vec::new() };
        let Some(rate) = first.packets.as_ref().map(|packets| packets.rate) else {
            return Vec::new();
        };
        let (mut source, mut from, mut before, mut units) = (bytes, 0, None, Vec::new());
        while let Ok(Some(page)) = Page::next(&mut source, from) {
            from = page.next;
            if page.serial != *serial {
                continue;
            }
            if let Some(samples) = before {
                let its = page.data - page.table.len() as u64 - PAGE_HEADER_BYTES as u64;
                units.push(Unit { time: time(samples, rate), at: at + its });
            }
            if let Some(count) = page.granule {
                let samples = count.cast_signed().saturating_sub(first.base());
                before = Some(samples.max(0).unsigned_abs());
            }
        }
        units
    }
}
