//! Reads `moov` and `moof`: tracks, and the positions of their samples. Counts in the file are
//! limited by the available bytes. The file is long because both boxes fill the same tracks.

mod edits;

use bytes::Bytes;

use self::edits::Edit;
use crate::base::Timestamp;
use crate::media::codec_config::gcd;
use crate::media::{AudioCodec, AudioConfig, FrameRate, Size, VideoConfig};
use crate::wire::codec::pcm::Pcm;
use crate::wire::container::flv::Metadata;
use crate::wire::container::mp4::boxes::{Fields, Name, boxes, child};
use crate::wire::container::mp4::colors::{colors, pixel_aspect};
use crate::wire::container::mp4::encryption::{EncryptedSample, Protection};
use crate::wire::container::mp4::fragment::{SampleDefaults, TrunReader, TrunSample};
use crate::wire::container::mp4::sample_table::{KeyframeList, Runs, SampleCursor, micros};
use crate::wire::container::mp4::track_boxes::{TrackDescription, describe};
use crate::wire::container::mp4::writer::video_timescale;
use crate::wire::container::mp4::{chapters, encryption, pcm, track_boxes};
use crate::wire::container::track_config::{bare_video_config, h264_config_with_metadata};
use crate::wire::container::{
    AudioTrack, Chapter, EDIT_MARGIN_MICROS, Error, FilePart, Index, MAX_AUDIO_TRACKS, Part,
    SampleLocation, TrackId, UnsupportedContent, audio_track, unsupported,
};

/// A track of the file that is used.
#[derive(Clone, Debug)]
pub(super) struct Track {
    /// The `track_ID` in the file.
    track_id: u32,
    track: TrackId,
    timescale: u32,
    edit: Edit,
    defaults: SampleDefaults,
    /// Start of the next fragment, unless the fragment has its own time.
    next_dts: i64,
    /// End of the samples in `moov`, where the first fragment starts.
    moov_end: i64,
    /// Encryption of its samples.
    protection: Option<Protection>,
    /// For uncompressed audio, the size in bytes of one value of every channel.
    pcm_frame_bytes: Option<u32>,
}

/// Contents of `moov`.
#[derive(Clone, Debug, Default)]
pub(super) struct Movie {
    pub tracks: Vec<Track>,
    /// Chapter titles.
    pub titles: Vec<SampleLocation>,
    /// Encrypted samples.
    pub encrypted: Vec<EncryptedSample>,
    /// Duration with all fragments in seconds, if the file declares it.
    pub length: Option<f64>,
    /// True if the file may have fragments.
    pub fragmented: bool,
}

impl Movie {
    /// Returns the video track or, without video, the first track.
    pub fn main(&self) -> Option<&Track> {
        self.tracks.iter().find(|track| track.track == TrackId::Video).or(self.tracks.first())
    }

    /// Returns start and end of the shown video, if it has an edit list.
    pub fn shown(&self) -> Option<(Timestamp, Option<Timestamp>)> {
        let video = self.tracks.iter().find(|track| track.track == TrackId::Video)?;
        Some((video.edit.begins?, video.edit.ends))
    }

    /// Returns to the first fragment.
    pub fn restart(&mut self) {
        self.tracks.iter_mut().for_each(|track| track.next_dts = track.moov_end);
    }

    /// Sets the time of the next fragment, for fragments without their own time.
    pub fn go_to(&mut self, time: Timestamp) {
        for track in &mut self.tracks {
            let micros = i128::from(time.offset(track.edit.shift.saturating_neg()).as_micros());
            let ticks = micros * i128::from(track.timescale) / 1_000_000;
            track.next_dts = i64::try_from(ticks).unwrap_or(0).max(0);
        }
    }
}

fn damaged<T>(value: Option<T>, part: FilePart) -> Result<T, Error> {
    value.ok_or(Error::Damaged(part))
}

/// Reads `moov`, and adds its tracks, samples and chapters to `index`. The index counts as finished
/// if the file has all samples.
pub(super) fn moov(content: &[u8], index: &mut Index, file_size: u64) -> Result<Movie, Error> {
    let mvhd = child(content, *b"mvhd");
    let movie_timescale = mvhd.and_then(|mvhd| Fields::after_dates(mvhd)?.1.u32());
    let movie_timescale = damaged(movie_timescale, FilePart::Header)?.max(1);
    let mvex = child(content, *b"mvex");
    let length = mvex.and_then(|mvex| fragments_duration(mvex, movie_timescale));
    let mut movie = Movie { fragmented: mvex.is_some(), length, ..Movie::default() };
    index.finished = true;
    let titled = chapters::tracks(content);
    for trak in boxes(content).filter(|found| found.name == *b"trak").take(64) {
        if let Some(head) =
            TrackHead::read(trak.content).filter(|head| titled.contains(&head.track_id))
        {
            let mut found = Index { max_samples: index.max_samples, ..Index::default() };
            let edit = head.edit(trak.content, movie_timescale);
            samples(trak.content, &mut head.track(TrackId::Video, edit), &mut found, file_size)?;
            movie.titles.append(&mut found.samples);
            continue;
        }
        let noted = index.unsupported_contents.len();
        let Some(mut track) = trak_header(trak.content, movie_timescale, mvex, index) else {
            if index.unsupported_contents.len() == noted && !index.to_play {
                let part = child(trak.content, *b"mdia").map_or(Part::Data, part);
                index.note_unsupported(Some(part), UnsupportedContent::UnreadableTrack);
            }
            continue;
        };
        index.timescales.push((track.track, track.timescale));
        samples(trak.content, &mut track, index, file_size)?;
        movie.tracks.push(track);
    }
    movie.restart();
    if let Some(chpl) = child(content, *b"udta").and_then(|udta| child(udta, *b"chpl")) {
        chpl_list(chpl, index);
    }
    Ok(movie)
}

/// Returns the duration of all fragments (§8.8.2).
fn fragments_duration(mvex: &[u8], movie_timescale: u32) -> Option<f64> {
    let (version, mut fields) = Fields::versioned(child(mvex, *b"mehd")?)?;
    let ticks = fields.long(version)?;
    (ticks > 0).then(|| ticks as f64 / f64::from(movie_timescale))
}

fn chpl_list(chpl: &[u8], index: &mut Index) -> Option<()> {
    let (version, mut fields) = Fields::versioned(chpl)?;
    if version == 1 {
        fields.u32()?;
    }
    let count = fields.u8()?;
    index.chapters.clear();
    for _ in 0..count {
        let at = i64::try_from(fields.u64()? / 10).ok()?;
        let length = fields.u8()?;
        let title = String::from_utf8_lossy(fields.bytes(length.into())?).into_owned();
        index.push_chapter(Chapter::new(Timestamp::from_micros(at), &title));
    }
    Some(())
}

/// Header fields of a `trak`.
#[derive(Copy, Clone)]
struct TrackHead {
    track_id: u32,
    timescale: u32,
}

impl TrackHead {
    fn read(trak: &[u8]) -> Option<Self> {
        let mdhd = child(child(trak, *b"mdia")?, *b"mdhd")?;
        Some(Self {
            track_id: Fields::after_dates(child(trak, *b"tkhd")?)?.1.u32()?,
            timescale: Fields::after_dates(mdhd)?.1.u32()?.max(1),
        })
    }

    /// Returns the track's edit list.
    fn edit(self, trak: &[u8], movie_timescale: u32) -> Edit {
        child(trak, *b"edts")
            .and_then(|edts| child(edts, *b"elst"))
            .and_then(|elst| edits::read(elst, movie_timescale, self.timescale))
            .unwrap_or_default()
    }

    fn track(self, track: TrackId, edit: Edit) -> Track {
        Track {
            track_id: self.track_id,
            track,
            timescale: self.timescale,
            edit,
            defaults: SampleDefaults::default(),
            next_dts: 0,
            moov_end: 0,
            protection: None,
            pcm_frame_bytes: None,
        }
    }
}

/// Reads a track. Unsupported tracks are recorded in the index.
fn trak_header(
    trak: &[u8],
    movie_timescale: u32,
    mvex: Option<&[u8]>,
    index: &mut Index,
) -> Option<Track> {
    let head = TrackHead::read(trak)?;
    let TrackHead { track_id, timescale } = head;
    let mdia = child(trak, *b"mdia")?;
    let stbl = child(child(mdia, *b"minf")?, *b"stbl")?;
    let mut edit = head.edit(trak, movie_timescale);
    if mvex.is_some() {
        // Fragments can be added after the list was written.
        edit.ends = None;
    }
    if !edit.parts.is_empty() && !index.to_play {
        index.note_unsupported(Some(part(mdia)), UnsupportedContent::Edits);
        return None;
    }
    let defaults = mvex.and_then(|mvex| trex(mvex, track_id)).unwrap_or_default();
    let stsd = child(stbl, *b"stsd")?;
    let (described, protection) = describe(stsd, index.has_key)?;
    let (described, pcm_frame_bytes) = with_sample_rate(described, timescale)?;
    let period = Some(defaults.duration).filter(|it| *it > 0).or_else(|| first_duration(stbl));
    let id = match described {
        TrackDescription::Avc(config) => {
            if index.tracks.video.is_some() {
                index.note_unsupported(Some(Part::Video), UnsupportedContent::SecondVideoTrack);
                return None;
            }
            index.tracks.video = Some(video(config, timescale, period)?);
            TrackId::Video
        }
        TrackDescription::Audio(audio, _) if index.tracks.audio.len() < MAX_AUDIO_TRACKS => {
            let track = AudioTrack::named(audio, &name(trak));
            let language = track_boxes::language(mdia);
            index.tracks.audio.push(AudioTrack { language, ..track });
            audio_track(index.tracks.audio.len() - 1)
        }
        TrackDescription::Video(codec, (width, height), config, _)
            if index.tracks.video.is_none() =>
        {
            let rate = period.and_then(|period| FrameRate::new(timescale, period));
            index.tracks.video = Some(VideoConfig {
                size: Size::new(width.into(), height.into()),
                frame_rate: rate.unwrap_or(FrameRate::FPS_30),
                ..bare_video_config(codec, config, &[])
            });
            TrackId::Video
        }
        TrackDescription::Video(_, _, _, name)
        | TrackDescription::Audio(_, name)
        | TrackDescription::Other(name) => {
            note_track(part(mdia), name, index);
            index.note_unsupported_track(unsupported::of_mp4(
                handler(mdia).unwrap_or_default(),
                name,
            ));
            return None;
        }
    };
    if let (TrackId::Video, Some(video)) = (id, &mut index.tracks.video) {
        index.colors = colors(stsd).unwrap_or_default();
        video.pixel_aspect = pixel_aspect(stsd).or(video.pixel_aspect);
        video.rotation = track_boxes::rotation(trak).unwrap_or_default();
    }
    Some(Track { defaults, protection, pcm_frame_bytes, ..head.track(id, edit) })
}

/// Completes uncompressed audio with its rate, which is the track's timescale if the description
/// has none. Also returns the size in bytes of one value of every channel.
fn with_sample_rate(
    described: TrackDescription,
    timescale: u32,
) -> Option<(TrackDescription, Option<u32>)> {
    let TrackDescription::Audio(
        AudioConfig { codec: AudioCodec::Pcm, codec_config: config, .. },
        name,
    ) = &described
    else {
        return Some((described, None));
    };
    let mut pcm = Pcm::unchecked(config)?;
    if pcm.sample_rate == 0 {
        pcm.sample_rate = timescale;
    }
    if !pcm.is_audio() {
        return Some((TrackDescription::Other(*name), None));
    }
    Some((TrackDescription::Audio(pcm.audio_config(), *name), Some(pcm.frame())))
}

/// Returns the name of a track, from its user data or its handler, unless the handler has a default
/// name of the writer.
fn name(trak: &[u8]) -> String {
    let udta_name = child(trak, *b"udta").and_then(|udta| child(udta, *b"name"));
    let handler = || {
        let mut fields = Fields::after_version(child(child(trak, *b"mdia")?, *b"hdlr")?)?;
        fields.bytes(20)?;
        // Names in QuickTime begin with their length.
        let text = match fields.0 {
            [length, text @ ..] if usize::from(*length) == text.len() => text,
            text => text,
        };
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        let common = text == track_boxes::AUDIO_TRACK_NAME.as_bytes()
            || text.windows(7).any(|part| part.eq_ignore_ascii_case(b"handler"))
            || text.windows(10).any(|part| part.eq_ignore_ascii_case(b"core media"));
        Some(text).filter(|_| !common)
    };
    let text = udta_name.filter(|name| !name.is_empty()).or_else(handler).unwrap_or_default();
    String::from_utf8_lossy(text).trim_end_matches('\0').to_owned()
}

/// Returns the handler type of a track.
fn handler(mdia: &[u8]) -> Option<Name> {
    let mut fields = Fields::after_version(child(mdia, *b"hdlr")?)?;
    fields.bytes(4)?;
    fields.bytes(4)?.try_into().ok()
}

/// Returns the part of a file that is lost without this track.
fn part(mdia: &[u8]) -> Part {
    match &handler(mdia).unwrap_or_default() {
        b"vide" => Part::Video,
        b"soun" => Part::Audio,
        b"text" | b"sbtl" | b"subt" | b"subp" | b"clcp" => Part::Subtitles,
        _ => Part::Data,
    }
}

fn note_track(part: Part, name: Name, index: &mut Index) {
    let codec = format!("'{}'", name.escape_ascii());
    let content = match &name {
        b"encv" | b"enca" => UnsupportedContent::EncryptedTrack(codec),
        _ => UnsupportedContent::Track(codec),
    };
    index.note_unsupported(Some(part), content);
}

fn video(config: Bytes, timescale: u32, period: Option<u32>) -> Option<crate::media::VideoConfig> {
    let rate = period.map(|period| f64::from(timescale) / f64::from(period));
    let metadata = Metadata { frame_rate: rate, ..Metadata::default() };
    let mut video = h264_config_with_metadata(config, &metadata)?;
    // If onair's own writer would make these ticks from an exact rate, that rate applies.
    if let Some(period) = period
        && let Ok(divisor) = u32::try_from(gcd(timescale.into(), period.into()))
        && let Some(exact) = FrameRate::new(timescale / divisor, period / divisor)
        && video_timescale(exact) == (timescale, period)
    {
        video.frame_rate = exact;
    }
    Some(video)
}

fn first_duration(stbl: &[u8]) -> Option<u32> {
    let mut fields = Fields::after_version(child(stbl, *b"stts")?)?;
    fields.u32().filter(|count| *count > 0)?;
    fields.u32()?;
    fields.u32().filter(|duration| *duration > 0)
}

fn trex(mvex: &[u8], track_id: u32) -> Option<SampleDefaults> {
    boxes(mvex).filter(|found| found.name == *b"trex").find_map(|found| {
        let mut fields = Fields::after_version(found.content)?;
        if fields.u32()? != track_id {
            return None;
        }
        fields.u32()?;
        Some(SampleDefaults { duration: fields.u32()?, size: fields.u32()?, flags: fields.u32()? })
    })
}

/// Reads the samples of an ordinary `trak`, and sets the end of the track.
fn samples(trak: &[u8], track: &mut Track, index: &mut Index, file_size: u64) -> Result<(), Error> {
    let stbl = child(trak, *b"mdia").and_then(|mdia| child(mdia, *b"minf"));
    let Some(stbl) = stbl.and_then(|minf| child(minf, *b"stbl")) else { return Ok(()) };
    let Some(stsz) = child(stbl, *b"stsz") else { return Ok(()) };
    let read = match track.pcm_frame_bytes {
        Some(frame) => pcm::samples(stbl, frame, file_size, &mut |dts, at, size| {
            track.add(dts, 0, true, (at, size), index)
        })?,
        None => None,
    };
    if let Some((end, is_whole)) = read {
        track.moov_end = end;
        index.finished &= is_whole;
        return Ok(());
    }
    let mut sizes = damaged(Fields::after_version(stsz), FilePart::Index)?;
    let (fixed, count) = damaged(sizes.u32().zip(sizes.u32()), FilePart::Index)?;
    if count as usize > index.limit() {
        return Err(Error::TooMuch(FilePart::Samples));
    }
    if count == 0 {
        return Ok(());
    }
    let mut durations = Runs::new(child(stbl, *b"stts")).ok_or(Error::Damaged(FilePart::Index))?;
    let mut compositions = Runs::new(child(stbl, *b"ctts"));
    let mut keyframes = KeyframeList::new(child(stbl, *b"stss"));
    let others = track_boxes::other_descriptions(stbl);
    let mut cursor = damaged(SampleCursor::new(stbl, others), FilePart::Index)?;
    let (mut changed, mut dts, first) = (false, 0_i64, index.samples.len());
    for number in 1..=count {
        damaged(cursor.next_sample(), FilePart::Index)?;
        let size = damaged(if fixed != 0 { Some(fixed) } else { sizes.u32() }, FilePart::Index)?;
        let composition = compositions.as_mut().and_then(Runs::next).unwrap_or(0).cast_signed();
        let keyframe = keyframes.contains(number);
        let (at, end) = (cursor.at, cursor.at.saturating_add(u64::from(size)));
        index.finished &= size == 0 || end <= file_size;
        changed |= !cursor.fits;
        if cursor.fits && size > 0 && end <= file_size {
            track.add(dts, composition, keyframe, (at, size), index)?;
        }
        cursor.at = end;
        dts = dts.saturating_add(durations.next().unwrap_or(0).into());
    }
    track.moov_end = dts;
    if !track.edit.parts.is_empty() {
        let all = index.samples.split_off(first);
        for sample in track.edit.arrange(&all, track.track == TrackId::Video) {
            index.push(sample)?;
        }
    }
    if changed {
        let (part, what) = match track.track {
            TrackId::Video => (Part::Resized, UnsupportedContent::ResizedFrames),
            TrackId::Audio(_) => (Part::Audio, UnsupportedContent::ChangedAudio),
        };
        index.note_unsupported(Some(part), what);
    }
    Ok(())
}

impl Track {
    /// Returns the track id in the file.
    pub fn track_id(&self) -> u32 {
        self.track_id
    }

    /// Converts ticks of this track to a time.
    pub fn time(&self, ticks: u64) -> Timestamp {
        let ticks = i64::try_from(ticks).unwrap_or(i64::MAX).min(i64::MAX / 4);
        micros(ticks, self.timescale).offset(self.edit.shift)
    }

    /// Adds a sample to the index, except for audio that the edit list hides.
    fn add(
        &self,
        dts: i64,
        composition: i32,
        keyframe: bool,
        (at, size): (u64, u32),
        index: &mut Index,
    ) -> Result<(), Error> {
        let time = |ticks: i64| micros(ticks, self.timescale).offset(self.edit.shift);
        let is_video = self.track == TrackId::Video;
        let pts = time(dts.saturating_add(composition.into()));
        let Edit { begins, ends, .. } = &self.edit;
        let is_early = begins.is_some_and(|begins| pts < begins.offset(-EDIT_MARGIN_MICROS));
        let is_late = ends.is_some_and(|ends| pts > ends.offset(EDIT_MARGIN_MICROS));
        if !is_video && self.edit.parts.is_empty() && (is_early || is_late) {
            return Ok(());
        }
        let keyframe = keyframe || !is_video;
        index.push(SampleLocation { track: self.track, keyframe, dts: time(dts), pts, at, size })
    }
}

/// Reads a `moof` that begins at `moof_at`.
pub(super) fn moof(
    content: &[u8],
    moof_at: u64,
    movie: &mut Movie,
    index: &mut Index,
    file_size: u64,
) -> Result<(), Error> {
    let mut end_of_last = moof_at;
    for traf in boxes(content).filter(|found| found.name == *b"traf").take(64) {
        // An invalid part is skipped: the next one may be valid.
        let _ = self::traf(traf.content, moof_at, &mut end_of_last, movie, index, file_size)?;
    }
    Ok(())
}

fn traf(
    content: &[u8],
    moof_at: u64,
    end_of_last: &mut u64,
    movie: &mut Movie,
    index: &mut Index,
    file_size: u64,
) -> Result<Option<()>, Error> {
    let Some(tfhd) = child(content, *b"tfhd") else { return Ok(None) };
    let mut fields = Fields(tfhd);
    let Some(((_, flags), track_id)) = fields.full().zip(fields.u32()) else { return Ok(None) };
    let Some(track) = movie.tracks.iter_mut().find(|track| track.track_id == track_id) else {
        return Ok(None);
    };
    let mut defaults = track.defaults;
    let mut base = if flags & 0x2_0000 != 0 { moof_at } else { *end_of_last };
    let mut optional = |bit: u32| if flags & bit != 0 { fields.u32() } else { None };
    if flags & 1 != 0 {
        let (high, low) = (optional(1).unwrap_or(0), optional(1).unwrap_or(0));
        base = u64::from(high) << 32 | u64::from(low);
    }
    let _description = optional(2);
    defaults.duration = optional(8).unwrap_or(defaults.duration);
    defaults.size = optional(0x10).unwrap_or(defaults.size);
    defaults.flags = optional(0x20).unwrap_or(defaults.flags);
    let mut dts = track.next_dts;
    if let Some(tfdt) = child(content, *b"tfdt") {
        let time = Fields::versioned(tfdt).and_then(|(version, mut it)| it.long(version));
        dts = time.and_then(|time| i64::try_from(time).ok()).unwrap_or(dts);
    }
    let mut at = base;
    let mut places = Vec::new();
    for trun in boxes(content).filter(|found| found.name == *b"trun") {
        let Some(mut samples) = TrunReader::new(trun.content, defaults) else { break };
        if let Some(offset) = samples.offset {
            at = base.saturating_add_signed(offset);
        }
        while let Some(TrunSample { duration, size, keyframe, composition }) = samples.next_sample()
        {
            let end = at.saturating_add(u64::from(size));
            // An empty sample only lasts. A run of empty samples without fields would have no limit.
            if size == 0 && !samples.has_fields() || end > file_size {
                break;
            }
            let frame = track.pcm_frame_bytes.filter(|_| track.protection.is_none());
            if size > 0
                && !frame.is_some_and(|frame| pcm::is_joined(track.track, frame, at, size, index))
            {
                track.add(dts, composition, keyframe, (at, size), index)?;
            }
            if track.protection.is_some() {
                places.push((at, size));
            }
            at = end;
            dts = dts.saturating_add(duration.into());
        }
    }
    if let Some(protection) = track.protection {
        let found = encryption::samples(content, protection, &places);
        movie.encrypted.extend(damaged(found, FilePart::Encryption)?);
    }
    track.next_dts = dts;
    *end_of_last = at;
    Ok(Some(()))
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::media::VideoCodec;
    use crate::wire::container::mp4;
    use crate::wire::container::mp4::boxes::{put_box, put_full};
    use crate::wire::container::mp4::live::{initialization, simulated::aac, tracks};

    #[test]
    fn samples_of_another_description_are_skipped_and_reported() {
        let lists: [(Name, &[u32]); 4] = [
            (*b"stsz", &[5, 3]),
            (*b"stts", &[1, 3, 100]),
            (*b"stco", &[2, 100, 200]),
            // Two samples in the first chunk, and one of the second description in the second.
            (*b"stsc", &[2, 1, 2, 1, 2, 1, 2]),
        ];
        let mut trak = BytesMut::new();
        put_box(&mut trak, *b"mdia", |out| {
            put_box(out, *b"minf", |out| {
                put_box(out, *b"stbl", |out| {
                    put_full(out, *b"stsd", 0, 0, |out| {
                        out.extend_from_slice(&[0, 0, 0, 2]);
                        put_box(out, *b"one ", |_| ());
                        put_box(out, *b"two ", |_| ());
                    });
                    for (name, values) in lists {
                        put_full(out, name, 0, 0, |out| {
                            values.iter().for_each(|it| out.extend_from_slice(&it.to_be_bytes()));
                        });
                    }
                });
            });
        });
        let head = TrackHead { track_id: 1, timescale: 1_000 };
        for (id, part, what) in [
            (TrackId::Video, Part::Resized, UnsupportedContent::ResizedFrames),
            (TrackId::Audio(0), Part::Audio, UnsupportedContent::ChangedAudio),
        ] {
            let mut index = Index::default();
            samples(&trak, &mut head.track(id, Edit::default()), &mut index, 1_000).unwrap();
            assert_eq!(index.samples.len(), 2);
            assert_eq!(index.unsupported_contents, [(Some(part), what)]);
        }
    }

    #[test]
    fn an_edit_list_shows_a_part_of_the_media() {
        // Duration and media time of each entry, in 1,000 and 15,360 ticks per second.
        let read = |entries: &[(u32, i32)]| {
            let mut elst = vec![0_u8; 4];
            elst.extend((entries.len() as u32).to_be_bytes());
            for (duration, from) in entries {
                elst.extend(duration.to_be_bytes());
                elst.extend(from.to_be_bytes());
                elst.extend([0, 1, 0, 0]);
            }
            let found = edits::read(&elst, 1_000, 15_360).unwrap();
            let [begins, ends] = [found.begins, found.ends].map(|at| at.map(Timestamp::as_millis));
            (found.shift / 1_000, begins, ends, !found.parts.is_empty())
        };
        // B-frames, in an ordinary file and in fragments.
        assert_eq!(read(&[(8_000, 1_536)]), (-100, Some(0), Some(8_000), false));
        assert_eq!(read(&[(0, 1_536)]), (-100, Some(0), None, false));
        // A track that begins later, and from which the first five seconds were cut.
        assert_eq!(read(&[(500, -1), (2_000, 76_800)]), (-4_500, Some(500), Some(2_500), false));
        // Two parts, without and with a gap in the media.
        assert_eq!(read(&[(1_000, 0), (1_000, 15_360)]), (0, Some(0), Some(2_000), false));
        assert_eq!(read(&[(1_000, 0), (1_000, 153_600)]), (0, Some(0), None, true));
    }

    /// Makes an index of a frame every 100 ms, from −2.5 to 5 s, of which every tenth is a keyframe.
    fn frames() -> Index {
        let frame = |number: i64| {
            let at = Timestamp::from_millis(number * 100);
            let (track, keyframe) = (TrackId::Video, number % 10 == 0);
            SampleLocation { track, keyframe, dts: at, pts: at, at: 0, size: 1 }
        };
        Index { samples: (-25..50).map(frame).collect(), to_play: true, ..Index::default() }
    }

    #[test]
    fn frames_outside_an_edit_list_are_hidden_or_dropped() {
        let at = Timestamp::from_millis;
        let mut index = frames();
        index.show_only(at(200), Some(at(1_900)));
        assert_eq!(index.shown_from, Some(at(195)));
        assert_eq!(index.samples.last().unwrap().pts, at(1_900));
        index.arrange();
        assert_eq!(index.shown_from, Some(at(2_695)));
        // What cannot hide frames begins at the next keyframe.
        index.skip_hidden().unwrap();
        let times: Vec<_> = index.samples.iter().map(|it| it.pts.as_millis()).collect();
        assert_eq!(times, (0..10_i64).map(|number| number * 100).collect::<Vec<_>>());
        assert_eq!(index.unsupported_contents, [(None, UnsupportedContent::CutStart)]);
        // No keyframe is shown.
        let mut index = frames();
        index.show_only(at(200), Some(at(800)));
        assert!(matches!(index.skip_hidden(), Err(Error::Unsupported(_))));
        // An edit list that shows no frame is invalid.
        let mut index = frames();
        index.show_only(at(10_000), None);
        assert_eq!(index, frames());
    }

    #[test]
    fn parameter_sets_of_h264_can_be_missing() {
        let config = Bytes::from_static(&[1, 66, 0xC0, 10, 0xFF, 0xE0, 0]);
        let video = bare_video_config(VideoCodec::H264, config, &[]);
        let video = VideoConfig { size: Size::new(160, 240), ..video };
        let file = initialization(&tracks(Some(&video), None), 1);
        let found = mp4::index(&mut &file[..]).unwrap().tracks.video.unwrap();
        assert_eq!((found.codec, found.size), (VideoCodec::H264, video.size));
        assert!(found.codec_config.is_empty());
    }

    #[test]
    fn audio_is_read_in_version_1_of_its_description() {
        let mut file = initialization(&tracks(None, Some(&aac())), 1).to_vec();
        let place = |file: &[u8], name: &[u8]| file.windows(4).position(|it| it == name).unwrap();
        let (stsd, entry) = (place(&file, b"stsd"), place(&file, b"mp4a"));
        file[stsd + 4] = 1;
        file[entry + 13] = 1;
        file[entry + 28..entry + 32].copy_from_slice(&[0, 1, 0, 0]);
        let found = mp4::index(&mut &file[..]).unwrap().tracks.audio;
        let rates: Vec<_> = found.iter().map(|track| track.config.sample_rate).collect();
        assert_eq!(rates, [48_000]);
    }
}
