//! Tests of the media parsers of `wire` (H.264, HEVC, AAC, FLV) with vectors from other
//! implementations, read from `../shared/vectors` if that folder exists. No part of the folder
//! belongs to this project.
//!
//! Long because each vector set has its test here.

use crate::vectors::{folder, list, load, unhex};
use bytes::Bytes;
use md5::{Digest, Md5};
use onair::media::{EncodedPacket, StreamConfig, StreamEvent, Track, TrackConfig, VideoCodec};
use onair::wire::bits::BitWriter;
use onair::wire::codec;
use onair::wire::codec::aac::{AudioSpecificConfig, adts};
use onair::wire::codec::h264;
use onair::wire::codec::h264::sps::{PicOrderCount, ScalingList};
use onair::wire::codec::h264::{
    DecoderConfig, NalType, Pps, Sps, VuiChanges, annexb_nals, avcc_nals, nals_to_annexb,
    rewrite_sps_vui,
};
use onair::wire::container::flv;
use onair::wire::container::flv::audio::AudioPacket;
use onair::wire::container::flv::metadata::parse_script;
use onair::wire::container::flv::video::VideoPacket;
use onair::wire::container::flv::{
    Demuxer, Metadata, Reader, Tag, TagEvent, TagKind, parse_audio, parse_video, tag_header,
};
use serde_json::Value;

/// Bytes from a hex string, or from `{"hex": text}`.
fn hex(value: &Value) -> Vec<u8> {
    unhex(value.as_str().or_else(|| value["hex"].as_str()).unwrap_or_else(|| panic!("{value}")))
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("no number: {value}"))
}

/// The frame rate in frames per second, if the set has one.
fn fps(sps: &Sps) -> Option<f64> {
    sps.frame_rate().map(|(num, den)| f64::from(num) / f64::from(den))
}

#[test]
fn mediacommon_sps() {
    let Some(vectors) = load("mediacommon/h264_sps.json") else { return };
    for case in list(&vectors["cases"]) {
        let (nal, name, json) = (hex(&case["byts"]), &case["name"], &case["sps"]);
        let sps = Sps::parse(&nal).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(u64::from(sps.width), number(&case["width"]), "{name}");
        assert_eq!(u64::from(sps.height), number(&case["height"]), "{name}");
        assert_eq!(fps(&sps), case["fps"]["float"].as_f64(), "{name}");
        let order = match sps.pic_order_cnt {
            PicOrderCount::Lsb { .. } => 0,
            PicOrderCount::Cycle { .. } => 1,
            PicOrderCount::DecodingOrder => 2,
        };
        for (field, value) in [
            ("ProfileIdc", sps.profile_idc.into()),
            ("LevelIdc", sps.level_idc.into()),
            ("ID", sps.id),
            ("ChromaFormatIdc", sps.chroma_format_idc),
            ("BitDepthLumaMinus8", sps.bit_depth_luma - 8),
            ("BitDepthChromaMinus8", sps.bit_depth_chroma - 8),
            ("Log2MaxFrameNumMinus4", sps.log2_max_frame_num - 4),
            ("MaxNumRefFrames", sps.max_num_ref_frames),
            ("PicWidthInMbsMinus1", sps.width_in_mbs - 1),
            ("PicHeightInMapUnitsMinus1", sps.height_in_map_units - 1),
            ("PicOrderCntType", order),
        ] {
            assert_eq!(u64::from(value), number(&json[field]), "{name} {field}");
        }
        for index in 0..6 {
            let flag = json[format!("ConstraintSet{index}Flag")].as_bool();
            assert_eq!(Some(sps.constraints & (0x80 >> index) != 0), flag, "{name} {index}");
        }
        for (field, value) in [
            ("FrameMbsOnlyFlag", sps.frame_mbs_only),
            ("MbAdaptiveFrameFieldFlag", sps.mb_adaptive_frame_field),
            ("Direct8x8InferenceFlag", sps.direct_8x8_inference),
            ("GapsInFrameNumValueAllowedFlag", sps.gaps_in_frame_num_allowed),
            ("SeparateColourPlaneFlag", sps.separate_colour_planes),
        ] {
            assert_eq!(Some(value), json[field].as_bool(), "{name} {field}");
        }
        let crop = &json["FrameCropping"];
        let sides = ["Left", "Right", "Top", "Bottom"];
        let expected = crop.is_object().then(|| sides.map(|s| number(&crop[format!("{s}Offset")])));
        assert_eq!(sps.cropping.map(|crop| crop.map(u64::from)), expected, "{name}");
        // Most parameter sets have no scaling list.
        let lists = json["ScalingList4x4"].as_array().unwrap();
        for (read, values) in sps.scaling_lists.iter().zip(lists) {
            let values = list(values).iter().map(|value| number(value) as u8).collect();
            assert_eq!(*read, ScalingList::Explicit(values), "{name}");
        }
        check_vui(&sps, &json["VUI"], name);
        let rewritten = rewrite_sps_vui(&nal, &VuiChanges::default()).unwrap();
        // One vector ends with its last flag, without the stop bit that §7.3.2.11 requires.
        let closed = [&nal[..], &[0x80]].concat();
        assert!(rewritten == nal || rewritten == closed, "{name}: {rewritten:02x?}");
    }
}

fn check_vui(sps: &Sps, json: &Value, name: &Value) {
    let vui = sps.vui.as_ref().unwrap_or_else(|| panic!("{name}: no usability information"));
    let timing = json["TimingInfo"].is_object().then(|| {
        let timing = &json["TimingInfo"];
        let fixed = timing["FixedFrameRateFlag"].as_bool().unwrap();
        (number(&timing["NumUnitsInTick"]), number(&timing["TimeScale"]), fixed)
    });
    let read =
        vui.timing.map(|t| (t.units_in_tick.into(), t.time_scale.into(), t.fixed_frame_rate));
    assert_eq!(read, timing, "{name}");
    let (format, full_range, color) =
        vui.signal.map_or((0, false, None), |s| (s.format, s.full_range, s.color));
    let color = color.unwrap_or((0, 0, 0));
    assert_eq!(Some(full_range), json["VideoFullRangeFlag"].as_bool(), "{name}");
    for (field, value) in [
        ("VideoFormat", format),
        ("ColourPrimaries", color.0),
        ("TransferCharacteristics", color.1),
        ("MatrixCoefficients", color.2),
    ] {
        assert_eq!(u64::from(value), number(&json[field]), "{name} {field}");
    }
    assert_eq!(Some(vui.pic_struct_present), json["PicStructPresentFlag"].as_bool(), "{name}");
    for (field, hrd) in [("NalHRD", &vui.nal_hrd), ("VclHRD", &vui.vcl_hrd)] {
        let json = &json[field];
        assert_eq!(hrd.is_some(), json.is_object(), "{name} {field}");
        let Some(hrd) = hrd else { continue };
        let (bit_rate, cpb_size, cbr) = hrd.entries[0];
        assert_eq!(u64::from(bit_rate), number(&json["BitRateValueMinus1"][0]), "{name}");
        assert_eq!(u64::from(cpb_size), number(&json["CpbSizeValueMinus1"][0]), "{name}");
        assert_eq!(Some(cbr), json["CbrFlag"][0].as_bool(), "{name}");
        assert_eq!(u64::from(hrd.time_offset_length), number(&json["TimeOffsetLength"]), "{name}");
    }
    let json = &json["BitstreamRestriction"];
    assert_eq!(vui.restriction.is_some(), json.is_object(), "{name}");
    let Some(restriction) = vui.restriction else { return };
    for (field, value) in [
        ("MaxBytesPerPicDenom", restriction.max_bytes_per_pic_denom),
        ("MaxBitsPerMbDenom", restriction.max_bits_per_mb_denom),
        ("Log2MaxMvLengthHorizontal", restriction.log2_max_mv_length_horizontal),
        ("Log2MaxMvLengthVertical", restriction.log2_max_mv_length_vertical),
        ("MaxNumReorderFrames", restriction.max_num_reorder_frames),
        ("MaxDecFrameBuffering", restriction.max_dec_frame_buffering),
    ] {
        assert_eq!(u64::from(value), number(&json[field]), "{name} {field}");
    }
}

#[test]
fn mediacommon_hevc_sps() {
    let Some(vectors) = load("mediacommon/h265_sps.json") else { return };
    for case in list(&vectors["cases"]) {
        let (nal, name) = (Bytes::from(hex(&case["byts"])), &case["name"]);
        let config = codec::hevc_record([&[], &[nal], &[]]).unwrap_or_else(|| panic!("{name}"));
        let expected = (number(&case["width"]) as u32, number(&case["height"]) as u32);
        assert_eq!(codec::hevc(&config).unwrap().size, Some(expected), "{name}");
    }
}

#[test]
fn scuffle_sps() {
    let Some(vectors) = load("scuffle/h264_sps.json") else { return };
    for case in list(&vectors["cases"]) {
        let name = &case["name"];
        let parsed = Sps::parse(&hex(&case["escaped_hex"]));
        if case["error"].is_string() {
            assert!(parsed.is_err(), "{name}");
            continue;
        }
        let sps = parsed.unwrap_or_else(|error| panic!("{name}: {error}"));
        for (field, value) in [("width", sps.width), ("height", sps.height)] {
            if let Some(expected) = case[field].as_u64() {
                assert_eq!(u64::from(value), expected, "{name} {field}");
            }
        }
        if let Some(expected) = case["fps"].as_f64() {
            assert_eq!(fps(&sps), Some(expected), "{name}");
        }
    }
}

/// A Baseline SPS with this size and cropping.
fn set_of(fields: &Value) -> Vec<u8> {
    let mut writer = BitWriter::default();
    [0x67, 66, 0, 30].into_iter().for_each(|byte| writer.bits(8, byte));
    [0, 0, 2, 1].into_iter().for_each(|code| writer.ue(code));
    writer.flag(false);
    writer.ue(number(&fields["width_in_mbs"]) as u32 - 1);
    writer.ue(number(&fields["height_in_map_units"]) as u32 - 1);
    [true, true, true].into_iter().for_each(|flag| writer.flag(flag));
    list(&fields["crop"]).iter().for_each(|side| writer.ue(number(side) as u32));
    writer.flag(false);
    writer.trailing_bits();
    h264::escape(&writer.into_bytes())
}

#[test]
fn h264_reader() {
    let Some(vectors) = load("h264_reader.json") else { return };
    for case in list(&vectors["sps"]) {
        let name = &case["name"];
        let Some(nal) = case["nal_hex"].as_str().map(unhex) else {
            let parsed = Sps::parse(&set_of(&case["fields"]));
            assert_eq!(parsed, Err(h264::Error::Range("frame_crop_offset")), "{name}");
            continue;
        };
        let sps = Sps::parse(&nal).unwrap_or_else(|error| panic!("{name}: {error}"));
        if case["rbsp_without_nal_header_hex"].is_string() {
            let rbsp = hex(&case["rbsp_without_nal_header_hex"]);
            assert_eq!(h264::unescape(&nal)[1..], rbsp, "{name}");
            assert_eq!(h264::escape(&h264::unescape(&nal)), nal, "{name}");
        }
        if let Some(width) = case["width"].as_u64() {
            assert_eq!(u64::from(sps.width), width, "{name}");
            assert_eq!(u64::from(sps.height), number(&case["height"]), "{name}");
        }
        if case["sar"].is_array() {
            let aspect = sps.vui.and_then(|vui| vui.aspect_ratio).unwrap();
            let expected = (number(&case["sar"][0]) as u16, number(&case["sar"][1]) as u16);
            assert_eq!(aspect.ratio, expected, "{name}");
        }
    }
    for case in list(&vectors["avcc"]) {
        let name = &case["name"];
        let bytes = Bytes::from(hex(&case["hex"]));
        let record = DecoderConfig::parse(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(record.build().unwrap(), bytes, "{name}");
        record.first_sps().unwrap_or_else(|error| panic!("{name}: {error}"));
        let extension = record.extension.as_ref();
        for (field, value) in [
            ("sps", Some(record.sps.len() as u64)),
            ("pps", Some(record.pps.len() as u64)),
            ("profile", Some(record.profile_idc.into())),
            ("level", Some(record.level_idc.into())),
            ("chroma_format", extension.map(|extension| extension.chroma_format.into())),
            ("bit_depth", extension.map(|extension| extension.bit_depth_luma.into())),
        ] {
            if let Some(expected) = case[field].as_u64() {
                assert_eq!(value, Some(expected), "{name} {field}");
            }
        }
    }
}

fn avcc_to_annexb(data: &[u8]) -> Bytes {
    let nals: Vec<_> = avcc_nals(data, 4).map(Result::unwrap).collect();
    nals_to_annexb(nals.into_iter())
}

fn owned<'a>(nals: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    nals.map(<[u8]>::to_vec).collect()
}

#[test]
fn mediacommon_nal_units() {
    let Some(vectors) = load("mediacommon/h264_nal.json") else { return };
    for case in list(&vectors["annexb"]) {
        let name = &case["name"];
        let whole: Vec<_> = list(&case["dec"]).iter().map(hex).collect();
        // The source keeps zero bytes before a start code. A NAL unit cannot end with a zero byte
        // (§7.4.1): they are trailing zeros, and the specification wins.
        let expected: Vec<_> = whole
            .iter()
            .map(|nal| nal[..=nal.iter().rposition(|byte| *byte != 0).unwrap()].to_vec())
            .collect();
        for form in ["encin", "encout"] {
            let data = hex(&case[form]);
            assert_eq!(owned(annexb_nals(&data)), expected, "{name} {form}");
            let avcc = h264::annexb_to_avcc(&data, |_| true).unwrap();
            let back = avcc_to_annexb(&avcc);
            assert_eq!(owned(annexb_nals(&back)), expected, "{name} {form}");
            if whole == expected {
                assert_eq!(back[..], hex(&case["encout"]), "{name}");
            }
        }
    }
    for case in list(&vectors["annexb_errors"]) {
        let data = hex(&case["hex"]);
        let nals = owned(annexb_nals(&data));
        match &case["expected"] {
            Value::Array(units) => assert_eq!(nals, units.iter().map(hex).collect::<Vec<_>>()),
            Value::String(text) if text.contains("no NALU") => assert!(nals.is_empty()),
            // A limit of the library, for information only.
            _ => assert!(!nals.is_empty()),
        }
    }
    let avcc =
        |data: &[u8]| -> Vec<_> { avcc_nals(data, 4).map(|n| n.unwrap().to_vec()).collect() };
    for case in list(&vectors["avcc"]) {
        let units: Vec<_> = list(&case["dec"]).iter().map(hex).collect();
        assert_eq!(avcc(&hex(&case["enc"])), units);
    }
    for case in list(&vectors["avcc_errors"]) {
        let data = hex(&case["hex"]);
        match &case["expected"] {
            Value::Array(units) => {
                assert_eq!(avcc(&data), units.iter().map(hex).collect::<Vec<_>>());
            }
            _ => {
                let nals: Result<Vec<_>, _> = avcc_nals(&data, 4).collect();
                assert!(!nals.is_ok_and(|nals| !nals.is_empty()));
            }
        }
    }
    for case in list(&vectors["emulation_prevention"]) {
        assert_eq!(h264::unescape(&hex(&case["proc"])), hex(&case["unproc"]), "{}", case["name"]);
    }
}

#[test]
fn mediacommon_aac() {
    let Some(vectors) = load("mediacommon/aac.json") else { return };
    for case in list(&vectors["audio_specific_config"]) {
        let (name, bytes, expected) = (&case["name"], hex(&case["enc"]), &case["dec"]);
        let config = AudioSpecificConfig::parse(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        let (extension_type, extension_rate) = config
            .extension
            .map_or((0, 0), |e| (if e.parametric_stereo { 29 } else { 5 }, e.sample_rate));
        for (expected, value) in [
            (&expected["Type"]["value"], config.object_type.into()),
            (&expected["SampleRate"], config.sample_rate),
            (&expected["ChannelConfig"], config.channel_config.into()),
            (&expected["ChannelCount"], config.channels().into()),
            (&expected["CoreCoderDelay"], config.core_coder_delay.unwrap_or(0).into()),
            (&expected["ExtensionType"]["value"], extension_type),
            (&expected["ExtensionSampleRate"], extension_rate),
        ] {
            assert_eq!(u64::from(value), number(expected), "{name}");
        }
        assert_eq!(Some(config.short_frames), expected["FrameLengthFlag"].as_bool(), "{name}");
        assert_eq!(config.build().unwrap()[..], bytes[..], "{name}");
    }
    for case in list(&vectors["additional"]) {
        let config = AudioSpecificConfig::parse(&hex(&case["enc"])).unwrap();
        assert_eq!(u64::from(config.sample_rate), number(&case["dec"]["SampleRate"]));
        assert_eq!(u64::from(config.channel_config), number(&case["dec"]["ChannelConfig"]));
    }
    for case in list(&vectors["adts"]) {
        let data = hex(&case["byts"]);
        let mut rest = &data[..];
        for expected in list(&case["pkts"]) {
            let (frame, after) = adts::parse(rest).unwrap().unwrap();
            rest = after;
            assert_eq!(frame.payload, hex(&expected["AU"]), "{}", case["name"]);
            assert_eq!(u64::from(frame.head.object_type), number(&expected["Type"]["value"]));
            assert_eq!(u64::from(frame.head.sample_rate), number(&expected["SampleRate"]));
            assert_eq!(u64::from(frame.head.channel_config), number(&expected["ChannelConfig"]));
        }
        assert!(rest.is_empty(), "{}", case["name"]);
    }
}

#[test]
fn fuzzing_seeds_give_a_value_or_an_error() {
    let Some(vectors) = load("mediacommon/fuzz_seeds.json") else { return };
    let mut read = 0;
    let seeds = vectors["targets"].as_object().unwrap().values().flat_map(list);
    for argument in seeds.flat_map(|seed| list(&seed["args"])).filter_map(Value::as_str) {
        if argument.len() % 2 == 1 || !argument.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            continue;
        }
        let bytes = Bytes::from(unhex(argument));
        let _ = (Sps::parse(&bytes), Pps::parse(&bytes, None));
        let _ = (DecoderConfig::parse(&bytes), AudioSpecificConfig::parse(&bytes));
        let _ = (adts::parse(&bytes), parse_video(&bytes), parse_audio(&bytes));
        let _ = annexb_nals(&bytes).count();
        (0..=5).for_each(|size| assert!(avcc_nals(&bytes, size).count() <= bytes.len() + 1));
        read += 1;
    }
    assert!(read > 400, "{read}");
}

#[test]
fn lal_avc() {
    let Some(vectors) = load("lal/avc.json") else { return };
    for case in list(&vectors["sequence_headers"]) {
        let body = Bytes::from(hex(&case["flv_video_body_hex"]));
        let VideoPacket::SequenceStart(config) = parse_video(&body).unwrap().track.packet else {
            panic!("{case}");
        };
        let record = DecoderConfig::parse(&config).unwrap();
        assert_eq!(record.sps[0][..], hex(&case["sps_hex"]));
        assert_eq!(record.pps[0][..], hex(&case["pps_hex"]));
        Pps::parse(&record.pps[0], Some(&record.first_sps().unwrap())).unwrap();
        if case["annexb_hex"].is_string() {
            let annexb = nals_to_annexb(record.parameter_sets());
            assert_eq!(annexb[..], hex(&case["annexb_hex"]));
        }
    }
    for case in list(&vectors["sps"]) {
        let sps = Sps::parse(&hex(&case["hex"])).unwrap();
        assert_eq!(u64::from(sps.profile_idc), number(&case["profile"]));
        assert_eq!(u64::from(sps.level_idc), number(&case["level"]));
        assert_eq!(u64::from(sps.width), number(&case["width"]));
        assert_eq!(u64::from(sps.height), number(&case["height"]));
    }
    for case in list(&vectors["errors"]) {
        // The first is a legal body of another codec without data; neither body is a codec config.
        let body = Bytes::from(hex(&case["flv_video_body_hex"]));
        let tag = Tag { kind: TagKind::Video, time_ms: 0, body };
        let events = Reader::new(|_| true).read(tag).events;
        let config = |it: &TagEvent| match it {
            TagEvent::Event(StreamEvent::Config(TrackConfig::Video(it))) => {
                !it.codec_config.is_empty()
            }
            _ => false,
        };
        assert!(!events.iter().flatten().any(config));
    }
    let conversion = &vectors["avcc_to_annexb"];
    let mut annexb = Vec::new();
    for body in list(&conversion["inputs_flv_video_body_hex"]) {
        match parse_video(&Bytes::from(hex(body))).unwrap().track.packet {
            VideoPacket::SequenceStart(config) => {
                let record = DecoderConfig::parse(&config).unwrap();
                annexb.extend(nals_to_annexb(record.parameter_sets()));
            }
            VideoPacket::Frame { data, .. } => annexb.extend(avcc_to_annexb(&data)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(annexb, hex(&conversion["expected_annexb_hex"]));
}

#[test]
fn lal_aac() {
    let Some(vectors) = load("lal/aac.json") else { return };
    for case in list(&vectors["audio_specific_config"]) {
        let config = AudioSpecificConfig::parse(&hex(&case["hex"]));
        match case["sample_rate"].as_u64() {
            Some(rate) => assert_eq!(u64::from(config.unwrap().sample_rate), rate),
            None => assert!(config.is_err(), "{case}"),
        }
    }
    let header = &vectors["sequence_header"];
    let tag = parse_audio(&Bytes::from(hex(&header["flv_audio_body_hex"]))).unwrap();
    let config = Bytes::from(hex(&header["asc_hex"]));
    assert_eq!(tag.track.packet, AudioPacket::SequenceStart(config));
    let case = &vectors["adts"];
    let config = AudioSpecificConfig::parse(&hex(&case["asc_hex"])).unwrap();
    let body = parse_audio(&Bytes::from(hex(&case["flv_audio_body_hex"]))).unwrap();
    let AudioPacket::Frame(payload) = body.track.packet else { panic!("no sound") };
    assert_eq!(payload.len() as u64, number(&case["payload_bytes"]));
    assert_eq!(adts::header(&config, payload.len()).unwrap()[..], hex(&case["header_hex"]));
}

#[test]
fn go_oryx_aac() {
    let Some(vectors) = load("go_oryx_lib.json") else { return };
    for case in list(&vectors["adts"]) {
        let data = hex(&case["hex"]);
        let (frame, rest) = adts::parse(&data).unwrap().unwrap();
        assert_eq!(frame.payload, hex(&case["raw"]));
        assert_eq!(rest, hex(&case["left"]));
        if case["sample_rate"].is_u64() {
            assert_eq!(u64::from(frame.head.sample_rate), number(&case["sample_rate"]));
            assert_eq!(u64::from(frame.head.object_type), number(&case["object_type"]));
            assert_eq!(u64::from(frame.head.channel_config), number(&case["channels"]));
        }
    }
    for good in list(&vectors["asc_ok"]) {
        AudioSpecificConfig::parse(&hex(good)).unwrap();
    }
    for bad in list(&vectors["asc_bad"]) {
        assert!(AudioSpecificConfig::parse(&hex(bad)).is_err(), "{bad}");
    }
}

#[test]
fn haishinkit_records() {
    let Some(vectors) = load("haishinkit.json") else { return };
    for case in list(&vectors["avcc"]) {
        // The SPS of the second case is truncated, but the record is complete.
        let bytes = Bytes::from(hex(&case["hex"]));
        assert_eq!(DecoderConfig::parse(&bytes).unwrap().build().unwrap(), bytes);
    }
    for case in list(&vectors["asc_main_profile"]) {
        let bytes = hex(&case["hex"]);
        let config = AudioSpecificConfig::parse(&bytes).unwrap();
        assert_eq!(u64::from(config.object_type), number(&case["object_type"]));
        assert_eq!(u64::from(config.sample_rate), number(&case["sample_rate"]));
        assert_eq!(u64::from(config.channels()), number(&case["channels"]));
        assert_eq!(config.build().unwrap()[..], bytes[..]);
    }
}

#[test]
fn krtmp_tags_and_records() {
    let Some(vectors) = load("krtmp.json") else { return };
    let resource = |name: &str| hex(&vectors["resources"][format!("flv/src:{name}")]);
    for (kind, folder) in [(TagKind::Audio, "audio/aac/raw"), (TagKind::Video, "video/avc/key")] {
        let tag = resource(&format!("tags/{folder}/tag"));
        let body = resource(&format!("tags/{folder}/data"));
        let mut demuxer = Demuxer::new();
        demuxer.push(&flv::file_header(true, true));
        demuxer.push(&tag);
        let read = demuxer.next_tag().unwrap().unwrap();
        assert_eq!((read.kind, &read.body[..]), (kind, &body[..]));
        assert_eq!(tag_header(kind, read.time_ms, body.len()), tag[..flv::TAG_HEADER_BYTES]);
    }
    let sound = parse_audio(&Bytes::from(resource("tags/audio/aac/raw/data"))).unwrap();
    let raw = Bytes::from(resource("tags/audio/aac/raw/raw"));
    assert_eq!(sound.track.packet, AudioPacket::Frame(raw));
    let picture = parse_video(&Bytes::from(resource("tags/video/avc/key/data"))).unwrap();
    let data = Bytes::from(resource("tags/video/avc/key/key"));
    assert_eq!(picture.track.packet, VideoPacket::Frame { composition_ms: 0, data });
    let record = |name: &str| resource(&format!("video/avc/decoderConfigurationRecord/{name}"));
    let built = DecoderConfig::new(record("sps").into(), record("pps").into()).unwrap();
    assert_eq!(built.build().unwrap()[..], record("AVCDecoderConfigurationRecord"));
    let record = |name: &str| resource(&format!("video/hevc/decoderConfigurationRecord/{name}"));
    let sets = ["vps", "sps", "pps"].map(|name| [Bytes::from(record(name))]);
    let built = codec::hevc_record([&sets[0], &sets[1], &sets[2]]).unwrap();
    let theirs = record("HEVCDecoderConfigurationRecord");
    assert_eq!(codec::hevc(&built), codec::hevc(&theirs));
    for length in [378, 516] {
        let header = resource(&format!("audio/aac/adts/adts-{length}bytes"));
        let mut whole = header.clone();
        whole.resize(length, 0);
        let (frame, rest) = adts::parse(&whole).unwrap().unwrap();
        assert_eq!((frame.head.sample_rate, rest.len()), (44_100, 0));
        let config = AudioSpecificConfig {
            channel_config: frame.head.channel_config,
            ..AudioSpecificConfig::lc(44_100, 2).unwrap()
        };
        assert_eq!(adts::header(&config, frame.payload.len()).unwrap()[..], header);
    }
    for name in ["onMetadataForLegacyAudio", "onMetadataForLegacyVideo"] {
        let tag = resource(&format!("tags/onMetadata/{name}"));
        let value = flv::metadata::parse_script(&tag[flv::TAG_HEADER_BYTES..]).unwrap();
        assert!(value.is_some(), "{name}");
    }
}

#[test]
fn gortmplib_bodies() {
    let Some(vectors) = load("gortmplib/messages.json") else { return };
    let mut bodies = 0;
    for case in list(&vectors["cases"]) {
        let (name, dec) = (case["name"].as_str().unwrap(), &case["dec"]);
        let (audio, video) = (name.starts_with("audio"), name.starts_with("video"));
        if !audio && !video {
            continue;
        }
        // One message at chunk size 128: a header of 12 bytes, then one byte between chunks.
        let wire = hex(&case["enc_hex"]);
        let chunks = wire[12..].chunks(129).map(|chunk| &chunk[..chunk.len().min(128)]);
        let body = Bytes::from(chunks.flatten().copied().collect::<Vec<u8>>());
        bodies += 1;
        if audio {
            let tag = parse_audio(&body).unwrap_or_else(|error| panic!("{name}: {error}"));
            if let (AudioPacket::Frame(data), true) = (&tag.track.packet, dec["AU"].is_object()) {
                assert_eq!(data[..], hex(&dec["AU"]), "{name}");
            }
            continue;
        }
        let tag = parse_video(&body).unwrap_or_else(|error| panic!("{name}: {error}"));
        if let VideoPacket::Frame { composition_ms, data } = &tag.track.packet {
            if dec["AU"].is_object() {
                assert_eq!(data[..], hex(&dec["AU"]), "{name}");
            }
            if let Some(delta) = dec["PTSDelta"]["ms"].as_i64() {
                assert_eq!(i64::from(*composition_ms), delta, "{name}");
            }
        }
        if let Some(key) = dec["IsKeyFrame"].as_bool() {
            assert_eq!(tag.frame_type == flv::FrameType::Key, key, "{name}");
        }
    }
    assert!(bodies > 15, "{bodies}");
}

#[derive(Default)]
struct Count {
    tags: usize,
    kinds: std::collections::BTreeMap<&'static str, usize>,
    first: Option<u32>,
    last: u32,
    digest: Md5,
}

impl Count {
    fn add(&mut self, kind: &'static str, tag: &flv::Tag) {
        self.tags += 1;
        *self.kinds.entry(kind).or_default() += 1;
        self.first.get_or_insert(tag.time_ms);
        self.last = tag.time_ms;
        self.digest.update(&tag.body);
    }

    /// `expected` is in the form of the description: "77 tags config 1 key 1 … 0..3083 ms, bodies md5
    /// …".
    fn check(self, expected: &str, file: &str) {
        let words: Vec<_> = expected.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        assert_eq!(self.tags.to_string(), words[0], "{file}: {expected}");
        for pair in words[2..].chunks(2) {
            match pair {
                [range, "ms"] => {
                    assert_eq!(format!("{}..{}", self.first.unwrap(), self.last), *range, "{file}");
                }
                ["bodies", "md5"] | [_] => break,
                [kind, count] => {
                    let read = self.kinds.get(kind).copied().unwrap_or(0);
                    assert_eq!(read.to_string(), *count, "{file} {kind}: {expected}");
                }
                _ => unreachable!(),
            }
        }
        let digest = self.digest.finalize();
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(words.last(), Some(&digest.as_str()), "{file}");
    }
}

/// The demuxer finds in each media file what the description of the vectors states.
#[test]
fn media_files_give_the_very_counts_and_bodies() {
    let Some(folder) = folder() else { return };
    let text = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let mut files = 0;
    for row in text.lines().filter(|line| line.starts_with('|') && line.contains(".flv |")) {
        let cells: Vec<_> = row.trim_matches(['|', ' ']).split(" | ").map(str::trim).collect();
        let (name, counts) = (cells[0], cells[cells.len() - 1]);
        let data = std::fs::read(folder.join(name)).unwrap();
        // In one piece, and in pieces of a size that fits no structure.
        for piece in [data.len(), 1_021] {
            let (mut video, mut audio) = (Count::default(), Count::default());
            let mut demuxer = Demuxer::new();
            for bytes in data.chunks(piece) {
                demuxer.push(bytes);
                while let Some(tag) = demuxer.next_tag().unwrap() {
                    match tag.kind {
                        TagKind::Script => {}
                        TagKind::Audio => match parse_audio(&tag.body).unwrap().track.packet {
                            AudioPacket::SequenceStart(_) => audio.add("config", &tag),
                            _ => audio.add("audio", &tag),
                        },
                        TagKind::Video => {
                            let parsed = parse_video(&tag.body).unwrap();
                            let kind = match parsed.track.packet {
                                VideoPacket::SequenceStart(_) => "config",
                                VideoPacket::SequenceEnd => "end",
                                VideoPacket::Metadata(_) => "meta",
                                _ if parsed.is_keyframe() => "key",
                                _ => "inter",
                            };
                            video.add(kind, &tag);
                        }
                    }
                }
            }
            assert_eq!(demuxer.pending(), 0, "{name}");
            let mut parts = counts.split("; ");
            video.check(parts.next().unwrap().strip_prefix("video ").unwrap(), name);
            audio.check(parts.next().unwrap().strip_prefix("audio ").unwrap(), name);
        }
        files += 1;
    }
    assert_eq!(files, 7);
}

fn read_all(name: &str) -> Option<(StreamConfig, Vec<EncodedPacket>)> {
    let mut reader = Reader::new(|_| true);
    reader.push(&std::fs::read(folder()?.join(name)).unwrap());
    Some(crate::film::read(&mut reader))
}

#[test]
fn what_the_sources_assert_of_their_files() {
    let Some((parameters, packets)) = read_all("scuffle/avc_aac.flv") else { return };
    let mut demuxer = Demuxer::new();
    demuxer.push(&std::fs::read(folder().unwrap().join("scuffle/avc_aac.flv")).unwrap());
    let script = demuxer.next_tag().unwrap().unwrap().body;
    let metadata = Metadata::from_value(&parse_script(&script).unwrap().unwrap());
    assert_eq!((metadata.width, metadata.height), (Some(3840), Some(2160)));
    assert_eq!((metadata.duration, metadata.frame_rate), (Some(1.088), Some(60.0)));
    assert_eq!((metadata.sample_rate, metadata.channels), (Some(48_000), Some(2)));
    let video = parameters.video.unwrap();
    assert_eq!((video.size.width, video.size.height), (3840, 2160));
    assert_eq!(video.frame_rate.as_f64(), 60.0);
    let record = DecoderConfig::parse(&video.codec_config).unwrap();
    assert_eq!((record.profile_idc, record.constraints, record.level_idc), (100, 0, 51));
    assert_eq!((record.length_size, record.sps.len(), record.pps.len()), (4, 1, 1));
    let sps = record.first_sps().unwrap();
    assert_eq!((sps.width_in_mbs, sps.height_in_map_units), (240, 135));
    assert_eq!((sps.profile(), sps.level_idc), ("High", 51));
    let audio = parameters.audio.unwrap();
    assert_eq!((audio.sample_rate, audio.channels), (48_000, 2));
    let times: Vec<_> = packets.iter().map(|packet| packet.dts).collect();
    assert!(times.is_sorted(), "timestamps never decrease");
    for (name, codec) in
        [("scuffle/hevc_aac.flv", VideoCodec::Hevc), ("scuffle/av1_aac.flv", VideoCodec::Av1)]
    {
        let (parameters, packets) = read_all(name).unwrap();
        assert_eq!(parameters.video.unwrap().codec, codec, "{name}");
        assert!(packets.iter().any(|packet| packet.track == Track::Video), "{name}");
    }
}

#[test]
fn membrane_elementary_streams() {
    let Some(folder) = folder() else { return };
    let sound = std::fs::read(folder.join("membrane/audio.aac")).unwrap();
    let (mut rest, mut frames) = (&sound[..], 0);
    while !rest.is_empty() {
        let (frame, after) = adts::parse(rest).unwrap().expect("a whole frame");
        assert!(!frame.payload.is_empty());
        rest = after;
        frames += 1;
    }
    assert!(frames > 100, "{frames}");
    let pictures = std::fs::read(folder.join("membrane/video.h264")).unwrap();
    let (mut inside, mut units, mut sets) = (0, 0, 0);
    for nal in annexb_nals(&pictures) {
        inside += nal.len();
        units += 1;
        match NalType::of(nal) {
            Some(NalType::Sps) => sets += u32::from(Sps::parse(nal).is_ok()),
            Some(NalType::Pps) => assert!(Pps::parse(nal, None).is_ok()),
            _ => {}
        }
    }
    // Every byte belongs to a NAL unit or to a start code.
    let start_codes = pictures.windows(3).filter(|window| *window == [0, 0, 1]).count();
    assert_eq!(units, start_codes);
    let overhead = pictures.len() - inside;
    assert!((3 * units..=4 * units).contains(&overhead), "{overhead} bytes beside {units} units");
    assert!(sets > 0);
}
