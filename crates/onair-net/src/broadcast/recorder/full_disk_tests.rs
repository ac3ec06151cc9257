//! Tests of a recording whose disk is full.

use std::fs;
use std::time::Duration;

use crate::base::queue::{self, Full};
use crate::broadcast::hub::Hub;
use crate::broadcast::hub::gop::tests::of_rendition;
use crate::broadcast::recorder::file::{File, muxer};
use crate::broadcast::recorder::{Options, Recorder, State};
use crate::files::Trouble;
use crate::media::{RenditionId, StreamConfig};
use crate::wire::container::{Format, Tracks};

const TEST_TIMEOUT: Duration = Duration::from_secs(30);

#[test]
fn frames_that_a_full_disk_does_not_take_are_not_in_the_duration() {
    let (packets, input) = queue::bounded("test", 64, Full::Block);
    let video = of_rendition(RenditionId::Main, 0).rendition.unwrap().video.clone();
    let config = StreamConfig { video: Some(video), audio: None };
    let hub = Hub::spawn(config.clone(), input).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.mp4");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (format, tracks) = (Format::Mp4, Tracks::from(config.clone()));
    let file = File::resume(full, &path, muxer(format, tracks.clone()), 0);
    let options = Options::default();
    let recorder =
        Recorder::write_to(file, &path, (format, tracks), (&config, None), &hub, options).unwrap();
    for dts in (0..800).step_by(40) {
        packets.send(of_rendition(RenditionId::Main, dts)).unwrap();
    }
    let figures = recorder.finish(TEST_TIMEOUT);
    let is_full = matches!(&figures.state, State::Failed(error) if error.kind == Trouble::Full);
    assert!(is_full && figures.duration.is_zero(), "{figures:?}");
}
