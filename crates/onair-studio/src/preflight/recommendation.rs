//! Recommends an initial quality. A separate thread measures the encoder's speed at each usual size
//! and the upload to the target, and a pure function decides.

use crate::base::queue::{self, Full, Receiver, Sender};
use crate::base::{Stop, Worker};
use crate::encode::{self, Choice};
use crate::media::{BitsPerSecond, Size};
use crate::studio::notices::message::StudioMessage;
use crate::studio::preflight::upload::{self, UploadResult};
use crate::studio::preflight::{Plan, PlannedCheck, UploadTest, measure_computer};
use crate::studio::targets::quality::{PRESETS, Preset, Quality};
use crate::studio::targets::services::Limits;
use crate::text::Problem;

/// Maximum number of unread results, which is more than can occur.
const MAX_UNREAD_RESULTS: usize = 16;
/// The required encoder speed relative to the frame rate, because capture, the compositor, the
/// window and other programs need CPU time too.
const ENCODER_SPEED_MARGIN: f64 = 2.0;
/// The share of a limited upload that the video may use.
const MAX_UPLOAD_SHARE: f64 = 0.75;
/// The maximum bitrate of the upload test: slightly more than the best usual quality needs.
const MAX_TEST_BITRATE: BitsPerSecond = BitsPerSecond(6_000_000);
/// The bitrate to recommend without a measurement. Nearly every connection supports it.
const UNMEASURED_BITRATE: BitsPerSecond = BitsPerSecond(2_500_000);
/// The bitrate below which video is unrecognizable.
const MIN_BITRATE: BitsPerSecond = BitsPerSecond(300_000);

/// The known upload bandwidth to the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upload {
    /// The stream stays on this computer.
    Local,
    /// The service has no test mode, or the test gave no result.
    NotMeasured,
    /// All data was accepted in time, at this bitrate.
    AtLeast(BitsPerSecond),
    /// The server accepted only this bitrate, although more was sent.
    Limited(BitsPerSecond),
    /// Only a test stream can measure the upload, with the user's consent. The text says what onair
    /// would send.
    NeedsConsent(Problem),
    /// The target does not reply correctly, or does not accept a test stream.
    Failed(Problem),
}

/// The reason why the next better quality is not recommended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// There is no better quality.
    None,
    Encoder,
    Upload,
    /// The upload is unknown.
    Unknown,
    /// The upload test did not send more, so the upload may be faster.
    UploadTest,
    /// The service does not accept a better quality.
    Service,
}

/// A recommended quality.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Recommendation {
    pub preset: Preset,
    /// The bitrate, at most that of the preset.
    pub bitrate: BitsPerSecond,
    pub limit: Limit,
}

/// The number of sizes that the encoder is measured for: the sizes of the presets.
pub const MEASURED_SIZES: usize = 3;

/// The measurements so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeasuredQuality {
    /// Frames per second that the encoder reaches, for each size.
    pub speeds: Vec<(Size, f64)>,
    /// The reason why the encoder does not work.
    pub failure: Option<Problem>,
    pub upload: Option<Upload>,
    pub recommendation: Option<Recommendation>,
    pub running: bool,
}

/// The targets that the quality must suit.
#[derive(Clone, Debug, Default)]
pub(crate) struct CheckedTargets {
    /// The number of targets that share the upload.
    pub count: u32,
    /// The limits of their services.
    pub limits: Vec<Limits>,
}

/// Returns true if the encoder is fast enough for this preset.
fn is_fast(speeds: &[(Size, f64)], preset: &Preset) -> bool {
    let speed = speeds.iter().find(|(size, _)| *size == preset.size).map(|(_, fps)| *fps);
    speed.is_some_and(|fps| fps >= preset.frame_rate.as_f64() * ENCODER_SPEED_MARGIN)
}

/// Returns true if an encoder of this speed in frames per second is fast enough for a usual quality
/// of this size.
pub fn is_fast_enough(size: Size, fps: f64) -> bool {
    PRESETS.iter().any(|preset| is_fast(&[(size, fps)], preset))
}

/// Returns the best usual quality that the encoder, the connection and the services support.
fn recommend(speeds: &[(Size, f64)], upload: &Upload, targets: &CheckedTargets) -> Recommendation {
    let all_targets = match upload {
        Upload::Local => None,
        Upload::AtLeast(rate) => Some(rate.0),
        Upload::Limited(rate) => Some((f64::from(rate.0) * MAX_UPLOAD_SHARE) as u32),
        Upload::NotMeasured | Upload::NeedsConsent(_) | Upload::Failed(_) => {
            Some(UNMEASURED_BITRATE.0)
        }
    };
    let carried =
        all_targets.map(|rate| BitsPerSecond(rate / targets.count.max(1) / 100_000 * 100_000));
    let objection = |preset: &Preset| {
        // A computer that is too slow for a size is too slow for all larger ones, even if another
        // program disturbed only the measurement of the smaller size.
        let mut smaller = speeds.iter().filter(|(size, _)| size.height < preset.size.height);
        let fast =
            is_fast(speeds, preset) && smaller.all(|(size, fps)| is_fast_enough(*size, *fps));
        let taken = targets.limits.iter().all(|limits| {
            limits.height.is_none_or(|most| preset.size.height <= most)
                && limits.video.is_none_or(|most| preset.video_bitrate.0 <= most.0)
                && limits.fps.is_none_or(|most| preset.frame_rate.as_f64() <= f64::from(most))
        });
        if !taken {
            Some(Limit::Service)
        } else if !fast {
            Some(Limit::Encoder)
        } else if carried.is_some_and(|most| preset.video_bitrate.0 > most.0) {
            Some(match upload {
                Upload::NotMeasured | Upload::NeedsConsent(_) | Upload::Failed(_) => Limit::Unknown,
                Upload::AtLeast(_) => Limit::UploadTest,
                Upload::Local | Upload::Limited(_) => Limit::Upload,
            })
        } else {
            None
        }
    };
    let [least, ..] = PRESETS;
    let best = PRESETS.iter().rposition(|preset| objection(preset).is_none());
    let better = PRESETS.get(best.map_or(0, |at| at + 1));
    let preset = best.and_then(|at| PRESETS.get(at)).copied().unwrap_or(least);
    let most = carried.map_or(u32::MAX, |most| most.0.max(MIN_BITRATE.0));
    Recommendation {
        preset,
        bitrate: BitsPerSecond(preset.video_bitrate.0.min(most)),
        limit: better.and_then(objection).unwrap_or(Limit::None),
    }
}

/// One result of the measurement.
#[derive(Debug)]
enum Result {
    Speed(Size, f64),
    Failed(Problem),
    Upload(Upload),
}

/// A measurement that is running or has ended.
#[derive(Debug)]
pub(crate) struct Measurement {
    results: Receiver<Result>,
    worker: Worker,
    targets: CheckedTargets,
    measured: MeasuredQuality,
}

impl Measurement {
    /// Starts the measurement. `fault` is the problem of a target that cannot be tested.
    pub fn start(
        plan: Plan,
        targets: CheckedTargets,
        fault: Option<Problem>,
    ) -> std::io::Result<Self> {
        let (sender, results) =
            queue::bounded("measured-quality", MAX_UNREAD_RESULTS, Full::DropOldest);
        let worker = Worker::spawn("measure", move |stop| measure(&plan, fault, &sender, stop))?;
        Ok(Self { results, worker, targets, measured: MeasuredQuality::default() })
    }

    /// Returns a measurement that runs until it is stopped.
    #[cfg(test)]
    pub fn endless() -> std::io::Result<Self> {
        let (_, results) = queue::bounded("measured", MAX_UNREAD_RESULTS, Full::DropOldest);
        let limit = std::time::Duration::from_secs(20);
        let worker = Worker::spawn("measure", move |stop| while !stop.wait(limit) {})?;
        let targets = CheckedTargets::default();
        Ok(Self { results, worker, targets, measured: MeasuredQuality::default() })
    }

    /// Takes new measurements.
    pub fn poll(&mut self) {
        // The end of the thread is checked before the results are read. The next call takes a
        // result that arrives after that.
        let over = self.worker.is_finished();
        while let Ok(result) = self.results.try_recv() {
            match result {
                Result::Speed(size, fps) => self.measured.speeds.push((size, fps)),
                Result::Failed(reason) => self.measured.failure = Some(reason),
                Result::Upload(upload) => self.measured.upload = Some(upload),
            }
        }
        let MeasuredQuality { speeds, upload, .. } = &self.measured;
        if let (true, Some(upload)) = (over, upload) {
            self.measured.recommendation = Some(recommend(speeds, upload, &self.targets));
        }
        self.measured.running = !over;
    }

    /// Stops the measurement, and returns its thread.
    pub fn end(self) -> Worker {
        self.worker.stop();
        self.worker
    }

    /// Returns true if the thread is still measuring.
    pub fn is_running(&self) -> bool {
        !self.worker.is_finished()
    }

    /// Returns the measurements so far.
    pub fn measured(&self) -> &MeasuredQuality {
        &self.measured
    }
}

fn measure(plan: &Plan, fault: Option<Problem>, tell: &Sender<Result>, stop: &Stop) {
    let speed = |quality: &Quality| measure_computer(plan, quality, stop);
    let mut quality = plan.quality.clone();
    if quality.encoder.for_codec(quality.video_codec) == Choice::Auto {
        // The automatic choice uses up the speed of the computer for a better picture.
        quality.encoder = Choice::OpenH264;
        quality.preset = encode::Preset::Auto;
        quality.rate_control = encode::RateControl::Cbr;
    }
    measure_sizes(&quality, tell, stop, speed);
    if !stop.is_set() {
        let _ = tell.send(Result::Upload(measure_upload(plan, fault, stop)));
    }
}

/// Measures the encoder at each size of the presets. `speed` returns the speed relative to the needs
/// of a quality.
fn measure_sizes(
    quality: &Quality,
    tell: &Sender<Result>,
    stop: &Stop,
    speed: impl Fn(&Quality) -> std::result::Result<f64, Problem>,
) {
    let mut sizes: Vec<Size> = Vec::new();
    for preset in &PRESETS {
        if stop.is_set() {
            return;
        }
        if sizes.contains(&preset.size) {
            continue;
        }
        let quality = preset.applied_to(quality);
        if sizes.is_empty() {
            // The first run is slower, because the code of the encoder is not in the caches yet.
            let _ = speed(&quality);
        }
        sizes.push(preset.size);
        match speed(&quality) {
            Ok(times) => {
                let _ = tell.send(Result::Speed(preset.size, times * preset.frame_rate.as_f64()));
            }
            Err(reason) => {
                let _ = tell.send(Result::Failed(reason));
                return;
            }
        }
    }
}

/// Measures the upload to the first target that is not on this computer and can be measured.
fn measure_upload(plan: &Plan, fault: Option<Problem>, stop: &Stop) -> Upload {
    let mut far: Vec<_> = plan.targets.iter().filter(|asked| !asked.built_in).collect();
    if far.is_empty() {
        return fault.map_or(Upload::Local, Upload::Failed);
    }
    far.sort_by_key(|asked| match asked.upload_test {
        UploadTest::TestMode(_) | UploadTest::TestStream => 0,
        UploadTest::NeedsConsent => 1,
        UploadTest::Unavailable => 2,
    });
    let mut uploads = far.into_iter().map(|asked| measure_upload_to(plan, asked, stop));
    uploads.find(|upload| *upload != Upload::NotMeasured).unwrap_or(Upload::NotMeasured)
}

fn measure_upload_to(plan: &Plan, asked: &PlannedCheck, stop: &Stop) -> Upload {
    let quality = Quality { video_bitrate: MAX_TEST_BITRATE, ..Quality::default() };
    match upload::measure(plan, &quality, asked, stop) {
        Ok(Some(UploadResult { rate, complete: true })) => Upload::AtLeast(rate),
        Ok(Some(UploadResult { rate, complete: false })) => Upload::Limited(rate),
        Ok(None) => Upload::NotMeasured,
        Err(found) => match *found {
            StudioMessage::FoundNeedsTestStream { .. } => Upload::NeedsConsent(found.problem()),
            _ => Upload::Failed(found.problem()),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::*;
    use crate::base::Clock;
    use crate::broadcast::publisher;
    use crate::net::Runtime;
    use crate::studio::targets::services::USUAL_LIMITS;
    use crate::wire::rtmp::url::Url;

    const FAST_ENCODER_FPS: [f64; 3] = [900.0, 400.0, 180.0];

    fn speeds(fps: [f64; 3]) -> Vec<(Size, f64)> {
        let sizes = [Size::new(854, 480), Size::new(1280, 720), Size::new(1920, 1080)];
        sizes.into_iter().zip(fps).collect()
    }

    /// Returns height, frame rate, kbit/s, and the reason that prevents a better quality.
    fn found(fps: [f64; 3], upload: &Upload, limits: &[Limits]) -> (u32, f64, u32, Limit) {
        found_for(1, fps, upload, limits)
    }

    /// Works like [`found`] for this number of targets.
    fn found_for(
        count: u32,
        fps: [f64; 3],
        upload: &Upload,
        limits: &[Limits],
    ) -> (u32, f64, u32, Limit) {
        let targets = CheckedTargets { count, limits: limits.to_vec() };
        let Recommendation { preset, bitrate, limit } = recommend(&speeds(fps), upload, &targets);
        (preset.size.height, preset.frame_rate.as_f64(), bitrate.as_kbps(), limit)
    }

    #[test]
    fn every_size_of_the_presets_is_measured() {
        let mut sizes = PRESETS.map(|preset| preset.size).to_vec();
        sizes.dedup();
        assert_eq!(sizes.len(), MEASURED_SIZES);
    }

    #[test]
    fn the_best_quality_that_everything_carries_is_recommended() {
        let kbps = |kbps: u32| BitsPerSecond(kbps * 1_000);
        assert_eq!(found(FAST_ENCODER_FPS, &Upload::Local, &[]), (1080, 30.0, 4_500, Limit::None));
        let enough = Upload::AtLeast(kbps(5_900));
        assert_eq!(found(FAST_ENCODER_FPS, &enough, &[]), (1080, 30.0, 4_500, Limit::None));
        // Half as fast as required for a sufficient reserve.
        let slow = [200.0, 70.0, 31.0];
        assert_eq!(found(slow, &Upload::Local, &[]), (720, 30.0, 2_500, Limit::Encoder));
        let middle = [300.0, 130.0, 59.0];
        assert_eq!(found(middle, &Upload::Local, &[]), (720, 60.0, 4_500, Limit::Encoder));
        // 720p at 60 fps needs a higher speed than 1080p at 30 fps.
        let between = [300.0, 112.0, 62.0];
        assert_eq!(found(between, &Upload::Local, &[]), (1080, 30.0, 4_500, Limit::None));
        // A computer that is too slow for every quality gets the lowest one.
        assert_eq!(found([9.0; 3], &Upload::Local, &[]), (480, 30.0, 1_200, Limit::Encoder));
        // Only the measurement of the middle size was too slow.
        let disturbed = [300.0, 19.0, 100.0];
        assert_eq!(found(disturbed, &Upload::Local, &[]), (480, 30.0, 1_200, Limit::Encoder));
        let fast = |height, fps| is_fast_enough(Size::new(height * 16 / 9, height), fps);
        assert!(!fast(720, 19.0) && !fast(720, 59.0) && fast(720, 60.0) && fast(1080, 60.0));
        let narrow = Upload::Limited(kbps(3_400));
        assert_eq!(found(FAST_ENCODER_FPS, &narrow, &[]), (720, 30.0, 2_500, Limit::Upload));
        let very = Upload::Limited(kbps(1_000));
        assert_eq!(found(FAST_ENCODER_FPS, &very, &[]), (480, 30.0, 700, Limit::Upload));
        let hopeless = Upload::Limited(kbps(10));
        assert_eq!(found(FAST_ENCODER_FPS, &hopeless, &[]).2, 300);
        for unknown in [
            Upload::NotMeasured,
            Upload::NeedsConsent(Problem::default()),
            Upload::Failed(Problem::default()),
        ] {
            assert_eq!(found(FAST_ENCODER_FPS, &unknown, &[]), (720, 30.0, 2_500, Limit::Unknown));
        }
        // Each of several services has limits.
        let school = Limits { height: Some(720), fps: Some(30), ..USUAL_LIMITS };
        for limits in [&[school][..], &[USUAL_LIMITS, school], &[school, USUAL_LIMITS]] {
            assert_eq!(
                found(FAST_ENCODER_FPS, &enough, limits),
                (720, 30.0, 2_500, Limit::Service)
            );
        }
    }

    #[test]
    fn several_targets_share_the_upload() {
        let kbps = |kbps: u32| BitsPerSecond(kbps * 1_000);
        let enough = Upload::AtLeast(kbps(5_900));
        let found = |count, upload: &Upload| found_for(count, FAST_ENCODER_FPS, upload, &[]);
        // The test sends no more, so a faster upload has the same result.
        assert_eq!(found(2, &enough), (720, 30.0, 2_500, Limit::UploadTest));
        assert_eq!(found(3, &enough), (480, 30.0, 1_200, Limit::UploadTest));
        assert_eq!(found(5, &enough), (480, 30.0, 1_100, Limit::UploadTest));
        let narrow = Upload::Limited(kbps(3_400));
        assert_eq!(found(2, &narrow), (480, 30.0, 1_200, Limit::Upload));
        assert_eq!(found(2, &Upload::NotMeasured), (480, 30.0, 1_200, Limit::Unknown));
        assert_eq!(found(0, &Upload::Local), (1080, 30.0, 4_500, Limit::None));
    }

    #[test]
    fn a_measurement_that_is_stopped_measures_nothing_more() {
        let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
        let (quality, targets) = (Quality::default(), Vec::new());
        let plan =
            Plan { runtime, clock, quality, compose_time: Duration::ZERO, folder: None, targets };
        let (sender, results) = queue::bounded("measured", MAX_UNREAD_RESULTS, Full::DropOldest);
        let stop = Stop::new();
        stop.set();
        measure(&plan, None, &sender, &stop);
        assert!(results.try_recv().is_err(), "a size was measured");
    }

    #[test]
    fn the_first_run_of_the_encoder_does_not_count() {
        let (sender, results) = queue::bounded("measured", MAX_UNREAD_RESULTS, Full::DropOldest);
        let runs = Cell::new(0);
        let speed = |_: &Quality| {
            runs.set(runs.get() + 1);
            Ok(if runs.get() == 1 { 1.0 } else { 10.0 })
        };
        measure_sizes(&Quality::default(), &sender, &Stop::new(), speed);
        let mut measured = Vec::new();
        while let Ok(result) = results.try_recv() {
            let Result::Speed(size, fps) = result else { panic!("{result:?}") };
            measured.push((size.height, fps));
        }
        assert_eq!(measured, [(480, 300.0), (720, 300.0), (1080, 300.0)]);
    }

    #[test]
    fn the_first_target_that_can_be_measured_is_measured() {
        let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
        // Nothing listens there.
        let url = Url::parse("rtmp://127.0.0.1:9/app/key").unwrap();
        let planned = |upload_test| {
            let (host, target) = ("h".to_owned(), publisher::Target::new(url.clone()));
            PlannedCheck { id: 1, host, target, upload_test, built_in: false }
        };
        let upload = |tests: [UploadTest; 2]| {
            let (runtime, targets) = (runtime.clone(), tests.map(planned).into());
            let quality = Quality::default();
            let plan = Plan {
                runtime,
                clock,
                quality,
                compose_time: Duration::ZERO,
                folder: None,
                targets,
            };
            measure_upload(&plan, None, &Stop::new())
        };
        let (none, consent) = (UploadTest::Unavailable, UploadTest::NeedsConsent);
        let test_mode = UploadTest::TestMode("test=true");
        assert_eq!(upload([none, none]), Upload::NotMeasured);
        assert!(matches!(upload([none, consent]), Upload::NeedsConsent(_)));
        assert!(matches!(upload([none, test_mode]), Upload::Failed(_)));
        assert!(matches!(upload([consent, test_mode]), Upload::Failed(_)));
    }

    #[test]
    fn nothing_measured_recommends_the_least() {
        let found = recommend(&[], &Upload::Local, &CheckedTargets::default());
        assert_eq!((found.preset, found.limit), (PRESETS[0], Limit::Encoder));
    }
}
