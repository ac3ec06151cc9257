//! Test of the sync markers in video and audio. The compositor and the mixer must output them
//! together: the band shows the time of the frame grid, and the tone starts at the time of the
//! flash, to the millisecond.

use onair::audio::{self, AudioChoice};
use onair::base::queue::{self, Full};
use onair::base::{Clock, Latest, Timestamp};
use onair::capture::{self, VideoChoice};
use onair::compose::{self, Compositor};
use onair::media::markers::{self, FlashReader, LipSync, OnsetReader};
use onair::media::playback_control::EndBehavior;
use onair::media::{FrameGrid, SampleBlock, Size, VideoFrame};
use onair::mix::{self, Mixer, Strip, StripId};

use crate::peers::LIMIT;

#[test]
fn flash_and_tone_leave_together() {
    crate::peers::in_real_time!(flash_and_tone_leave_together);
    let clock = Clock::start();
    // An origin and a rate without a common factor.
    let grid = FrameGrid { origin: Timestamp::from_micros(12_345), rate: "29.97".parse().unwrap() };
    let size = Size::new(640, 360);
    let compositor =
        Compositor::spawn(compose::Config { size, grid, clock }, Latest::default()).unwrap();
    let (rate, channels, origin) = (48_000, 2, grid.origin);
    let mixer = Mixer::spawn(mix::Config { rate, channels, origin, clock }).unwrap();
    let picture = capture::open(&VideoChoice::Test, &capture::Context { clock, grid, size });
    let sound = audio::open(
        &AudioChoice::Tone,
        &audio::Context { clock, grid, rate, channels, at_end: EndBehavior::Loop },
    )
    .unwrap();
    let (frames, pictures) = queue::bounded::<VideoFrame>("test-video", 256, Full::DropOldest);
    let (blocks, sounds) = queue::bounded::<SampleBlock>("test-audio", 1_024, Full::DropOldest);
    compositor.set_feed(Some(picture.unwrap().feed));
    mixer.set_strip(StripId::MAIN, Strip::default());
    mixer.set_feed(StripId::MAIN, Some(sound.feed));
    compositor.attach_encoder(frames);
    mixer.attach_encoder(blocks);

    let (mut flashes, mut onsets, mut sync) =
        (FlashReader::default(), OnsetReader::new(rate), LipSync::default());
    let mut pairs = 0;
    let mut worst = 0.0_f64;
    let end = Timestamp::from_millis(4_500);
    loop {
        let frame = pictures.recv_timeout(LIMIT).unwrap();
        let planes = frame.planes();
        let read = markers::read_band(&planes.y, planes.luma_stride(), size);
        // The very first frame may still be the placeholder.
        let Some(time) = read else { continue };
        assert_eq!(markers::age_ms(time, clock.wall_micros(frame.pts) / 1_000), 0);
        let flash = markers::is_flash(&planes.y, planes.luma_stride(), size);
        if flashes.on_frame(time, flash) {
            sync.flash(frame.pts);
            pairs += 1;
        }
        while let Ok(block) = sounds.try_recv() {
            onsets.push(block.pts, block.channels, &block.data, |onset| sync.onset(onset));
        }
        worst = worst.max(sync.offset_ms().unwrap_or(0.0).abs());
        if frame.pts > end {
            break;
        }
    }
    eprintln!("{pairs} flashes, median {:?} ms, worst {worst} ms", sync.offset_ms());
    assert!(pairs >= 3);
    assert!(sync.offset_ms().is_some() && worst <= 1.0);
    compositor.join(LIMIT).unwrap();
    mixer.join(LIMIT).unwrap();
}
