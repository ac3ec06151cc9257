//! Tests of a recording whose thread panics, and of a file that cannot be created.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::base::queue::{self, Full};
use crate::broadcast::hub::Hub;
use crate::broadcast::hub::gop::tests::of_rendition;
use crate::broadcast::recorder::file::File;
use crate::broadcast::recorder::{Error, Event, Options, Recorder, State};
use crate::files::Trouble;
use crate::media::{RenditionId, StreamConfig, StreamEvent};
use crate::wire::container::{Format, Muxer, MuxerOutput, Tracks};

const TEST_TIMEOUT: Duration = Duration::from_secs(30);

/// A muxer that panics at the first packet, and removes a file when it begins.
#[derive(Debug)]
struct Broken {
    removed: Option<PathBuf>,
}

impl Muxer for Broken {
    fn begin(&mut self) -> Bytes {
        self.removed.iter().for_each(|path| std::fs::remove_file(path).unwrap());
        Bytes::new()
    }

    fn write(&mut self, _: &StreamEvent) {
        panic!("in a muxer");
    }

    fn waiting(&self) -> usize {
        0
    }

    fn flush(&mut self, _: u64) -> MuxerOutput {
        MuxerOutput { append: Bytes::new(), patches: Vec::new() }
    }

    fn commit(&mut self) {}

    fn discard(&mut self) {}

    fn finish(&mut self, at: u64, _: Timestamp) -> MuxerOutput {
        self.flush(at)
    }

    fn close(&mut self, _: u64, _: Timestamp) -> Vec<(u64, Bytes)> {
        Vec::new()
    }

    fn index_weight(&self) -> usize {
        0
    }
}

#[test]
fn a_recorder_that_panics_has_failed() {
    let (packets, input) = queue::bounded("test", 64, Full::Block);
    let video = of_rendition(RenditionId::Main, 0).rendition.unwrap().video.clone();
    let config = StreamConfig { video: Some(video), audio: None };
    let hub = Hub::spawn(config.clone(), input).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.mp4");
    let file = File::create_by(&path, Box::new(Broken { removed: None })).unwrap();
    let kind = (Format::Mp4, Tracks::from(config.clone()));
    let options = Options::default();
    let recorder = Recorder::write_to(file, &path, kind, (&config, None), &hub, options).unwrap();
    assert!(matches!(recorder.events().recv(), Some(Event::Began(_))));
    for dts in (0..800).step_by(40) {
        packets.send(of_rendition(RenditionId::Main, dts)).unwrap();
    }
    let last = recorder.events().recv_timeout(TEST_TIMEOUT).unwrap();
    let Event::Over(figures) = last else { panic!("{last:?}") };
    assert_eq!(figures.state, State::Failed(Error::of(&path, Trouble::Crashed)));
    assert_eq!(recorder.figures(), figures);
}

#[test]
fn the_error_of_a_file_that_cannot_be_created_has_the_requested_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.mp4");
    std::fs::write(&path, "another file").unwrap();
    let removed = Some(folder.path().join("show-1.mp4"));
    let failed = File::create_by(&path, Box::new(Broken { removed }));
    assert_eq!(failed.unwrap_err(), Error::of(&path, Trouble::Gone));
}
