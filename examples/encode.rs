//! Encodes a Y4M file as in a broadcast, but as fast as the computer can:
//!
//! `cargo run --release --example encode -- clip.y4m 2500k out.264 [ENCODER [PRESET [B-FRAMES LOOK-AHEAD]]]`
//!
//! The quality bench (`packaging/bench.sh quality`) uses it. The file must be 4:2:0 with plain
//! `FRAME` lines, as FFmpeg writes it. Its colors are assumed to be those of the program.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use onair::base::queue::{self, Full};
use onair::base::{Pooled, Timestamp, launcher};
use onair::encode::video::Config;
use onair::encode::{Choice, Preset, RateControl, VideoEncoder, run_encoder_process};
use onair::media::{Color, FrameGrid, FrameRate, Planes, Size, VideoCodec, VideoFrame};
use onair::wire::codec::h264::{DecoderConfig, avcc_nals};
use onair::wire::codec::hevc_parameter_sets;

const START: [u8; 4] = [0, 0, 0, 1];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    // The launcher starts this program again as the process of an encoder.
    if args.first().is_some_and(|word| word == "encoder-process") {
        std::process::exit(run_encoder_process());
    }
    let [clip, bitrate, out, more @ ..] = args.as_slice() else {
        bail!("encode CLIP.y4m BITRATE OUT.264 [ENCODER [PRESET [B-FRAMES LOOK-AHEAD]]]")
    };
    let encoder = more.first().map_or(Ok(Choice::OpenH264), |name| name.parse());
    let encoder = encoder.ok().context("no such encoder")?;
    let preset = more.get(1).map_or(Ok(Preset::Auto), |name| name.parse());
    let number = |place: usize| more.get(place).map_or(Ok(0), |text| text.parse::<u8>());
    let (b_frames, look_ahead) = (number(2)?, number(3)?);
    launcher::start()?;
    let mut clip = BufReader::new(File::open(clip)?);
    let (size, frame_rate) = header(&mut clip)?;
    let config = Config {
        size,
        frame_rate,
        bitrate: bitrate.parse().ok().context("no bitrate")?,
        keyframe_interval: Duration::from_secs(2),
        encoder,
        preset: preset.ok().context("no such preset")?,
        rate_control: RateControl::Cbr,
        b_frames,
        look_ahead,
    };
    let (pictures, input) = queue::bounded("pictures", 4, Full::Block);
    let (output, packets) = queue::bounded("packets", 1_024, Full::Block);
    let encoder = VideoEncoder::spawn(config, input, output)?;
    let mut out = File::create(out)?;
    let config = encoder.config();
    let codec = config.codec;
    let sets: Vec<Vec<u8>> = match codec {
        VideoCodec::H264 => {
            let record = DecoderConfig::parse(&config.codec_config)?;
            record.parameter_sets().map(<[u8]>::to_vec).collect()
        }
        VideoCodec::Hevc => {
            hevc_parameter_sets(&config.codec_config).iter().map(|set| set.to_vec()).collect()
        }
        // Keyframes of AV1 have their header.
        _ => Vec::new(),
    };
    for set in sets {
        out.write_all(&START)?;
        out.write_all(&set)?;
    }
    let grid = FrameGrid { origin: Timestamp::ZERO, rate: frame_rate };
    let mut write = |packet: onair::media::EncodedPacket| -> Result<()> {
        if codec == VideoCodec::Av1 {
            // A temporal delimiter, which packets lack.
            out.write_all(&[0x12, 0])?;
            return Ok(out.write_all(&packet.data)?);
        }
        for unit in avcc_nals(&packet.data, 4) {
            out.write_all(&START)?;
            out.write_all(unit?)?;
        }
        Ok(())
    };
    for number in 0.. {
        let mut line = Vec::new();
        if clip.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let mut planes = Planes::black(size);
        for plane in [&mut planes.y, &mut planes.u, &mut planes.v] {
            clip.read_exact(plane)?;
        }
        let planes = Arc::new(Pooled::unpooled(planes));
        let frame =
            VideoFrame { pts: grid.instant(number), color: Color::PROGRAM, surface: planes.into() };
        pictures.send(frame)?;
        while let Ok(packet) = packets.try_recv() {
            write(packet)?;
        }
    }
    drop(pictures);
    while let Some(packet) = packets.recv() {
        write(packet)?;
    }
    match encoder.failed() {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

fn header(clip: &mut impl BufRead) -> Result<(Size, FrameRate)> {
    let mut line = String::new();
    clip.take(1_024).read_line(&mut line)?;
    let (mut size, mut rate) = (Size::new(0, 0), None);
    for word in line.split_ascii_whitespace().skip(1) {
        match word.split_at_checked(1) {
            Some(("W", width)) => size.width = width.parse()?,
            Some(("H", height)) => size.height = height.parse()?,
            Some(("F", fraction)) => {
                let (num, den) = fraction.split_once(':').context("no frame rate")?;
                rate = FrameRate::new(num.parse()?, den.parse()?);
            }
            _ => {}
        }
    }
    if !line.starts_with("YUV4MPEG2 ") || !size.is_valid() {
        bail!("no Y4M file");
    }
    Ok((size, rate.context("no frame rate")?))
}
