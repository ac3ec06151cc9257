//! The controls of a Windows camera: those of its image (`IAMVideoProcAmp`) and of its lens (`IAMCameraControl`).
//!
//! A control that the camera can also set itself has a switch of its own before it, like on Linux. The names are those
//! of Linux where the values mean the same, so that settings go from one system to the other. Exposure does not: here,
//! it is a power of two in seconds.
//!
//! Controls are reached through a second media source of the camera, because the first one belongs to the thread that
//! reads frames. One thread keeps these sources. A driver can hang in any call; then the thread is left behind, and the
//! next question starts another one.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use windows::Win32::Media::DirectShow::{IAMCameraControl, IAMVideoProcAmp};
use windows::Win32::Media::MediaFoundation::{
    IMFMediaSource, MF_DEVSOURCE_ATTRIBUTE_SOURCE_TYPE,
    MF_DEVSOURCE_ATTRIBUTE_SOURCE_TYPE_VIDCAP_GUID,
    MF_DEVSOURCE_ATTRIBUTE_SOURCE_TYPE_VIDCAP_SYMBOLIC_LINK, MF_VERSION, MFCreateAttributes,
    MFCreateDeviceSource, MFSTARTUP_NOSOCKET, MFShutdown, MFStartup,
};
use windows::core::{HSTRING, Interface as _};

use crate::base::queue::{self, Empty, Full};
use crate::base::{Stop, Worker};
use crate::capture::camera::backend::windows::media_foundation::{
    ANSWER_TIMEOUT, MAX_CAMERAS, fault, with_com,
};
use crate::capture::camera::control::{CameraControl, Span};
use crate::capture::camera::driver::Fault;

/// `VideoProcAmp_Flags_…` and `CameraControl_Flags_…`: the camera sets the value, or the user does.
const AUTO: i32 = 1;
const MANUAL: i32 = 2;

/// Time after which the source of a camera that nobody asks about is closed.
const IDLE_TIME: Duration = Duration::from_secs(10);
/// Questions that wait for the thread.
const MAX_WAITING: usize = 16;

/// The interface that has a property.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Part {
    Image,
    Lens,
}

/// A property of the interfaces.
struct Property {
    part: Part,
    number: i32,
    name: &'static str,
    title: &'static str,
    /// Name and title of the switch with which the camera sets the value itself.
    automatic: Option<(&'static str, &'static str)>,
}

const fn property(
    part: Part,
    number: i32,
    name: &'static str,
    title: &'static str,
    automatic: Option<(&'static str, &'static str)>,
) -> Property {
    Property { part, number, name, title, automatic }
}

/// The name of the property whose values have names.
const POWER_LINE: &str = "power_line_frequency";
/// The names of its values (`KSPROPERTY_VIDEOPROCAMP_POWERLINE_FREQUENCY`).
const POWER_LINES: [&str; 4] = ["Disabled", "50 Hz", "60 Hz", "Auto"];

/// The properties with the numbers of `VideoProcAmpProperty`, `CameraControlProperty`, and, where those have none, of
/// `KSPROPERTY_VIDCAP_VIDEOPROCAMP` and `KSPROPERTY_VIDCAP_CAMERACONTROL`.
const PROPERTIES: [Property; 19] = [
    property(
        Part::Image,
        0,
        "brightness",
        "Brightness",
        Some(("brightness_automatic", "Brightness, Automatic")),
    ),
    property(
        Part::Image,
        1,
        "contrast",
        "Contrast",
        Some(("contrast_automatic", "Contrast, Automatic")),
    ),
    property(Part::Image, 3, "saturation", "Saturation", None),
    property(Part::Image, 2, "hue", "Hue", Some(("hue_automatic", "Hue, Automatic"))),
    property(Part::Image, 6, "color", "Color", None),
    property(
        Part::Image,
        7,
        "white_balance_temperature",
        "White Balance Temperature",
        Some(("white_balance_automatic", "White Balance, Automatic")),
    ),
    property(Part::Image, 5, "gamma", "Gamma", None),
    property(Part::Image, 9, "gain", "Gain", Some(("gain_automatic", "Gain, Automatic"))),
    property(Part::Image, 13, POWER_LINE, "Power Line Frequency", None),
    property(Part::Image, 4, "sharpness", "Sharpness", None),
    property(Part::Image, 8, "backlight_compensation", "Backlight Compensation", None),
    property(
        Part::Lens,
        4,
        "exposure",
        "Exposure",
        Some(("exposure_automatic", "Exposure, Automatic")),
    ),
    property(Part::Lens, 19, "exposure_dynamic_framerate", "Exposure, Dynamic Framerate", None),
    property(
        Part::Lens,
        5,
        "iris_absolute",
        "Iris, Absolute",
        Some(("iris_automatic", "Iris, Automatic")),
    ),
    property(
        Part::Lens,
        6,
        "focus_absolute",
        "Focus, Absolute",
        Some(("focus_automatic_continuous", "Focus, Automatic Continuous")),
    ),
    property(Part::Lens, 3, "zoom_absolute", "Zoom, Absolute", None),
    property(Part::Lens, 0, "pan", "Pan", None),
    property(Part::Lens, 1, "tilt", "Tilt", None),
    property(Part::Lens, 2, "roll", "Roll", None),
];

/// The possible values of a property, from the driver.
#[derive(Copy, Clone, Debug, Default)]
struct Range {
    least: i32,
    most: i32,
    step: i32,
    default: i32,
    /// Flags of who can set it.
    by: i32,
}

/// The two interfaces of a camera, or a fake.
trait Knobs {
    fn range(&self, part: Part, number: i32) -> Option<Range>;
    /// Returns the value, and the flag of who sets it.
    fn get(&self, part: Part, number: i32) -> Option<(i32, i32)>;
    fn set(&self, part: Part, number: i32, value: i32, by: i32) -> Result<(), Fault>;
}

/// A property of a camera, with its current state.
struct FoundProperty<'a> {
    property: &'a Property,
    /// The value, if the user can set it.
    number: Option<CameraControl>,
    /// The switch of the automatic mode.
    switch: Option<CameraControl>,
}

fn found(knobs: &dyn Knobs) -> impl Iterator<Item = FoundProperty<'static>> {
    PROPERTIES.iter().filter_map(move |property| {
        let range = knobs.range(property.part, property.number)?;
        let (value, by) = knobs.get(property.part, property.number)?;
        let is_automatic = by & AUTO != 0;
        let control = |(name, title): (&str, &str), span, default, value, active| CameraControl {
            name: name.to_owned(),
            title: title.to_owned(),
            span,
            default,
            value,
            active,
        };
        // A driver that does not say who can set a value lets the user set it.
        let span = span(property, range).filter(|_| range.by == 0 || range.by & MANUAL != 0);
        let number = span.map(|span| {
            let names = (property.name, property.title);
            control(names, span, range.default.into(), value.into(), !is_automatic)
        });
        let has_both = range.by & AUTO != 0 && range.by & MANUAL != 0;
        let switch = property.automatic.filter(|_| has_both).map(|names| {
            // The driver does not say what the default is. All cameras start in their automatic mode.
            control(names, Span::Switch, 1, i64::from(is_automatic), true)
        });
        Some(FoundProperty { property, number, switch })
    })
}

fn span(property: &Property, range: Range) -> Option<Span> {
    if range.least >= range.most {
        return None;
    }
    Some(match (property.name, range.least, range.most) {
        (POWER_LINE, least, most) => {
            let named =
                (0_i32..).zip(POWER_LINES).filter(|(value, _)| (least..=most).contains(value));
            Span::Menu(named.map(|(value, name)| (value.into(), name.to_owned())).collect())
        }
        (_, 0, 1) => Span::Switch,
        (_, least, most) => Span::Number {
            least: least.into(),
            most: most.into(),
            step: i64::from(range.step).max(1),
        },
    })
}

fn list(knobs: &dyn Knobs) -> Vec<CameraControl> {
    found(knobs).flat_map(|found| found.switch.into_iter().chain(found.number)).collect()
}

/// Sets a control to the nearest valid value, or to its default.
fn set(knobs: &dyn Knobs, name: &str, value: Option<i64>) -> Result<(), Fault> {
    let is = |control: &Option<CameraControl>| control.as_ref().is_some_and(|it| it.name == name);
    let found = found(knobs).find(|found| is(&found.number) || is(&found.switch));
    let found = found.ok_or_else(|| Fault::Other(format!("no control {name}")))?;
    let Property { part, number, .. } = *found.property;
    let put =
        |value: i64, by| knobs.set(part, number, i32::try_from(value).unwrap_or_default(), by);
    match (found.switch, found.number) {
        (Some(switch), number) if switch.name == name => {
            let by = if switch.span.bounded(value.unwrap_or(switch.default)) == 0 {
                MANUAL
            } else {
                AUTO
            };
            put(number.map_or(0, |number| number.value), by)
        }
        // To set the value would end the automatic mode.
        (_, Some(control)) if !control.active => match value {
            Some(_) => Err(Fault::Other(format!("the camera sets {name} itself"))),
            None => Ok(()),
        },
        (_, Some(control)) => put(control.span.bounded(value.unwrap_or(control.default)), MANUAL),
        (_, None) => Ok(()),
    }
}

/// The media source of a camera, which is never started.
struct Source {
    source: IMFMediaSource,
    image: Option<IAMVideoProcAmp>,
    lens: Option<IAMCameraControl>,
    used: Instant,
}

impl Source {
    fn open(id: &str) -> windows::core::Result<Self> {
        let mut wanted = None;
        // SAFETY: plain calls. The first one writes the attributes.
        let source = unsafe {
            MFCreateAttributes(&raw mut wanted, 2)?;
            let wanted = wanted.ok_or_else(windows::core::Error::empty)?;
            wanted.SetGUID(
                &MF_DEVSOURCE_ATTRIBUTE_SOURCE_TYPE,
                &MF_DEVSOURCE_ATTRIBUTE_SOURCE_TYPE_VIDCAP_GUID,
            )?;
            let link = &MF_DEVSOURCE_ATTRIBUTE_SOURCE_TYPE_VIDCAP_SYMBOLIC_LINK;
            wanted.SetString(link, &HSTRING::from(id))?;
            MFCreateDeviceSource(&wanted)?
        };
        let (image, lens) = (source.cast().ok(), source.cast().ok());
        Ok(Self { source, image, lens, used: Instant::now() })
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // SAFETY: a plain call. Without it, the source would stay.
        let _ = unsafe { self.source.Shutdown() };
    }
}

impl Knobs for Source {
    fn range(&self, part: Part, number: i32) -> Option<Range> {
        let mut range = Range::default();
        let Range { least, most, step, default, by } = &mut range;
        // SAFETY: the calls write these numbers.
        unsafe {
            match part {
                Part::Image => {
                    self.image.as_ref()?.GetRange(number, least, most, step, default, by)
                }
                Part::Lens => self.lens.as_ref()?.GetRange(number, least, most, step, default, by),
            }
        }
        .ok()?;
        Some(range)
    }

    fn get(&self, part: Part, number: i32) -> Option<(i32, i32)> {
        let (mut value, mut by) = (0, 0);
        // SAFETY: the calls write these numbers.
        unsafe {
            match part {
                Part::Image => self.image.as_ref()?.Get(number, &raw mut value, &raw mut by),
                Part::Lens => self.lens.as_ref()?.Get(number, &raw mut value, &raw mut by),
            }
        }
        .ok()?;
        Some((value, by))
    }

    fn set(&self, part: Part, number: i32, value: i32, by: i32) -> Result<(), Fault> {
        // SAFETY: plain calls.
        let done = unsafe {
            match (part, &self.image, &self.lens) {
                (Part::Image, Some(image), _) => image.Set(number, value, by),
                (Part::Lens, _, Some(lens)) => lens.Set(number, value, by),
                _ => return Err(Fault::Other("no such control".to_owned())),
            }
        };
        done.map_err(|error| fault(&error.to_string()))
    }
}

/// What the thread is asked.
struct Question {
    id: String,
    /// The control to set first.
    change: Option<(String, Option<i64>)>,
    answer: queue::Sender<Result<Vec<CameraControl>, Fault>>,
}

/// The thread that keeps the sources.
struct Keeper {
    questions: queue::Sender<Question>,
    _worker: Worker,
}

static KEEPER: Mutex<Option<Keeper>> = Mutex::new(None);

/// Sets a control, if one is given, and returns all of them.
pub(super) fn ask(
    id: &str,
    change: Option<(&str, Option<i64>)>,
) -> Result<Vec<CameraControl>, Fault> {
    let (answer, answered) = queue::bounded("camera-controls", 1, Full::DropOldest);
    let change = change.map(|(name, value)| (name.to_owned(), value));
    let question = Question { id: id.to_owned(), change, answer };
    {
        let mut keeper = KEEPER.lock();
        let keeper = match &mut *keeper {
            Some(keeper) => keeper,
            none => none.insert(start()?),
        };
        let _ = keeper.questions.send(question);
    }
    match answered.recv_timeout(ANSWER_TIMEOUT) {
        Ok(result) => result,
        Err(_) => {
            // The next question starts another thread.
            *KEEPER.lock() = None;
            Err(Fault::Other("the controls do not answer".to_owned()))
        }
    }
}

fn start() -> Result<Keeper, Fault> {
    let (questions, asked) = queue::bounded("camera-questions", MAX_WAITING, Full::DropOldest);
    let worker = Worker::spawn("onair-camera-controls", move |stop| keep(&asked, stop));
    let worker = worker.map_err(|error| Fault::Other(error.to_string()))?;
    Ok(Keeper { questions, _worker: worker })
}

fn keep(asked: &queue::Receiver<Question>, stop: &Stop) {
    with_com();
    // SAFETY: a plain call, which counts. The one below belongs to it.
    if let Err(error) = unsafe { MFStartup(MF_VERSION, MFSTARTUP_NOSOCKET) } {
        tracing::debug!(%error, "Media Foundation does not start");
        return;
    }
    let mut sources: HashMap<String, Source> = HashMap::new();
    while !stop.is_set() {
        match asked.recv_timeout(IDLE_TIME) {
            Ok(Question { id, change, answer }) => {
                let result = answer_to(&mut sources, &id, change.as_ref());
                // A camera that was unplugged and plugged in again needs a new source.
                if result.is_err() {
                    sources.remove(&id);
                }
                let _ = answer.send(result);
            }
            Err(Empty::Waiting) => {}
            Err(Empty::Closed) => break,
        }
        sources.retain(|_, source| source.used.elapsed() < IDLE_TIME);
    }
    drop(sources);
    // SAFETY: it was started above, and its objects are gone.
    let _ = unsafe { MFShutdown() };
}

fn answer_to(
    sources: &mut HashMap<String, Source>,
    id: &str,
    change: Option<&(String, Option<i64>)>,
) -> Result<Vec<CameraControl>, Fault> {
    if !sources.contains_key(id) {
        if sources.len() >= MAX_CAMERAS {
            sources.clear();
        }
        let source = Source::open(id).map_err(|error| fault(&error.to_string()))?;
        sources.insert(id.to_owned(), source);
    }
    let source = sources.get_mut(id).ok_or_else(|| Fault::Absent(format!("no camera {id}")))?;
    source.used = Instant::now();
    if let Some((name, value)) = change {
        set(source, name, *value)?;
    }
    Ok(list(source))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// A camera with these properties, and what was set.
    struct Fake {
        has: Vec<(Part, i32, Range, (i32, i32))>,
        set: RefCell<Vec<(i32, i32, i32)>>,
    }

    impl Knobs for Fake {
        fn range(&self, part: Part, number: i32) -> Option<Range> {
            self.has.iter().find(|it| (it.0, it.1) == (part, number)).map(|it| it.2)
        }

        fn get(&self, part: Part, number: i32) -> Option<(i32, i32)> {
            self.has.iter().find(|it| (it.0, it.1) == (part, number)).map(|it| it.3)
        }

        fn set(&self, _: Part, number: i32, value: i32, by: i32) -> Result<(), Fault> {
            self.set.borrow_mut().push((number, value, by));
            Ok(())
        }
    }

    fn camera() -> Fake {
        let range = |least, most, step, default, by| Range { least, most, step, default, by };
        let has = vec![
            (Part::Image, 0, range(0, 255, 5, 128, MANUAL), (100, MANUAL)),
            (Part::Image, 8, range(0, 1, 1, 0, 0), (1, MANUAL)),
            (Part::Image, 13, range(0, 2, 1, 1, MANUAL), (2, MANUAL)),
            (Part::Image, 5, range(7, 7, 0, 7, MANUAL), (7, MANUAL)),
            (Part::Lens, 4, range(-13, -1, 1, -6, AUTO | MANUAL), (-5, AUTO)),
            (Part::Lens, 6, range(0, 250, 5, 0, AUTO | MANUAL), (30, MANUAL)),
        ];
        Fake { has, set: RefCell::default() }
    }

    #[test]
    fn controls_have_names_spans_and_a_switch_for_the_automatic_mode() {
        let listed = list(&camera());
        let names: Vec<&str> = listed.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "brightness",
                POWER_LINE,
                "backlight_compensation",
                "exposure_automatic",
                "exposure",
                "focus_automatic_continuous",
                "focus_absolute"
            ]
        );
        assert_eq!(listed[0].span, Span::Number { least: 0, most: 255, step: 5 });
        let Span::Menu(lines) = &listed[1].span else { panic!("{:?}", listed[1]) };
        assert_eq!((lines.len(), lines[1].clone()), (3, (1, "50 Hz".to_owned())));
        assert_eq!((&listed[2].span, listed[2].value), (&Span::Switch, 1));
        assert_eq!((listed[3].value, listed[4].active), (1, false));
        assert_eq!((listed[5].value, listed[6].active), (0, true));
    }

    #[test]
    fn values_are_set_within_their_span_and_by_the_user() {
        let camera = camera();
        set(&camera, "brightness", Some(9_999)).unwrap();
        set(&camera, "brightness", None).unwrap();
        set(&camera, "exposure_automatic", Some(0)).unwrap();
        set(&camera, "focus_automatic_continuous", None).unwrap();
        let done = camera.set.borrow().clone();
        assert_eq!(done, [(0, 255, MANUAL), (0, 130, MANUAL), (4, -5, MANUAL), (6, 30, AUTO)]);
    }

    #[test]
    fn a_value_that_the_camera_sets_stays_its_own() {
        let camera = camera();
        assert!(set(&camera, "exposure", Some(-3)).is_err());
        assert_eq!(set(&camera, "exposure", None), Ok(()));
        assert!(set(&camera, "zoom_absolute", Some(1)).is_err(), "the camera has no zoom");
        assert!(camera.set.borrow().is_empty());
    }

    #[test]
    fn every_name_is_plain_and_exists_once() {
        let names = PROPERTIES
            .iter()
            .flat_map(|it| std::iter::once(it.name).chain(it.automatic.map(|(name, _)| name)));
        let mut names: Vec<&str> = names.collect();
        assert!(names.iter().all(|name| crate::capture::camera::control::plain(name) == *name));
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn a_camera_that_is_absent_has_no_controls() {
        assert!(ask("none such", None).is_err());
        assert!(ask("none such", Some(("brightness", Some(1)))).is_err());
    }
}
