//! Tests a 1920×1080 display with a moving client. The feed must show the client's last frame, read
//! only damaged pixels, and read none while nothing moves. The test counts the pixels that are
//! read, so timing does not matter.
//!
//! An environment variable selects the display. The test runs its own executable again with that
//! variable, and `inside` runs in the new process.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicU64;

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    ConnectionExt as _, CreateGCAux, CreateWindowAux, Gcontext, Rectangle, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::*;
use crate::base::{Clock, Timestamp};
use crate::capture::screen::display::{Change, ScreenInfo, WindowInfo};
use crate::media::{FrameGrid, FrameRate, Size};

const DISPLAY_SIZE: Size = Size::new(1920, 1080);
const RIG_VARIABLE: &str = "ONAIR_MOVING_RIG";
const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A test X server, ended on drop.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_client_that_moves_on_a_large_display_is_followed_by_its_damage() {
    let started = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1920x1080x24", "-nolisten", "tcp", "-noreset"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut server) = started.map(Server) else {
        assert!(std::env::var_os("CI").is_none(), "Xvfb is not installed");
        println!("SKIPPED: Xvfb is not installed");
        return;
    };
    let mut number = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut number).unwrap();
    assert!(!number.trim().is_empty(), "Xvfb has not started");
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "capture::screen::moving_tests::inside",
            "--nocapture",
            "--test-threads=1",
        ])
        .env("DISPLAY", format!(":{}", number.trim()))
        .env(RIG_VARIABLE, "1")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("XDG_SESSION_TYPE")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{failed}");
}

/// Counts the polls of a display, and the pixels that were read from it.
#[derive(Debug, Default)]
struct Figures {
    asked: AtomicU64,
    reads: AtomicU64,
    pixels: AtomicU64,
}

impl Figures {
    fn read(&self) -> (u64, u64) {
        (self.reads.load(Ordering::SeqCst), self.pixels.load(Ordering::SeqCst))
    }
}

/// The display system of the computer with counters.
struct Counting(Arc<dyn ScreenSystem>, Arc<Figures>);

struct Counted(Box<dyn Grabber>, Arc<Figures>);

impl ScreenSystem for Counting {
    fn screens(&self) -> Result<Vec<ScreenInfo>, Fault> {
        self.0.screens()
    }

    fn windows(&self) -> Result<Vec<WindowInfo>, Fault> {
        self.0.windows()
    }

    fn grab_screen(
        &self,
        id: Option<&str>,
        part: Option<Area>,
        attempt: &Attempt<'_>,
    ) -> Result<Box<dyn Grabber>, Fault> {
        let grabber = self.0.grab_screen(id, part, attempt)?;
        Ok(Box::new(Counted(grabber, Arc::clone(&self.1))))
    }

    fn grab_window(&self, id: &str, attempt: &Attempt<'_>) -> Result<Box<dyn Grabber>, Fault> {
        self.0.grab_window(id, attempt)
    }
}

impl Grabber for Counted {
    fn size(&self) -> Size {
        self.0.size()
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn id(&self) -> &str {
        self.0.id()
    }

    fn show_part(&mut self, part: Option<Area>) -> bool {
        self.0.show_part(part)
    }

    fn number(&self) -> Option<&str> {
        self.0.number()
    }

    fn changes(&mut self) -> Result<Change, Fault> {
        self.1.asked.fetch_add(1, Ordering::SeqCst);
        self.0.changes()
    }

    fn read(&mut self, part: Area) -> Result<&[u8], Fault> {
        self.1.reads.fetch_add(1, Ordering::SeqCst);
        self.1.pixels.fetch_add(part.pixels() as u64, Ordering::SeqCst);
        self.0.read(part)
    }

    fn pointer(&mut self) -> Result<Option<PlacedPointer>, Fault> {
        self.0.pointer()
    }
}

/// Size of a cell. The client paints a number in sixteen cells, white for 1, on a background whose
/// brightness depends on the number.
const CELL_SIDE_PIXELS: u16 = 16;
const NUMBER_BITS: u16 = 16;

fn ground(number: u16) -> u8 {
    40 + (number % 8) as u8 * 20
}

/// Returns the limited-range luma of a gray.
fn luma(grey: u8) -> u8 {
    (16.0 + f64::from(grey) * 219.0 / 255.0).round() as u8
}

/// A client that paints into a hidden buffer and then shows it in one step, as players do.
struct Client {
    connection: RustConnection,
    root: u32,
    window: u32,
    canvas: u32,
    gc: Gcontext,
}

impl Client {
    fn connect() -> Self {
        let (connection, number) = RustConnection::connect(None).unwrap();
        let root = connection.setup().roots[number].root;
        let [window, canvas, gc] = [(); 3].map(|()| connection.generate_id().unwrap());
        let (width, height) = (DISPLAY_SIZE.width as u16, DISPLAY_SIZE.height as u16);
        let settings = CreateWindowAux::new().background_pixel(0).override_redirect(1);
        let class = WindowClass::INPUT_OUTPUT;
        connection
            .create_window(0, window, root, 0, 0, width, height, 0, class, 0, &settings)
            .unwrap();
        connection.create_pixmap(24, canvas, root, width, height).unwrap();
        connection.create_gc(gc, window, &CreateGCAux::new().graphics_exposures(0)).unwrap();
        connection.map_window(window).unwrap();
        connection.sync().unwrap();
        let client = Self { connection, root, window, canvas, gc };
        client.fill(0, 0, (width, height), 0);
        client.present(0, 0, (width, height));
        client
    }

    fn fill(&self, x: i16, y: i16, (width, height): (u16, u16), grey: u8) {
        let color = u32::from(grey) * 0x0001_0101;
        self.connection
            .change_gc(self.gc, &x11rb::protocol::xproto::ChangeGCAux::new().foreground(color))
            .unwrap();
        let all = Rectangle { x, y, width, height };
        self.connection.poly_fill_rectangle(self.canvas, self.gc, &[all]).unwrap();
    }

    fn paint(&self, x: i16, y: i16, size: (u16, u16), number: u16) {
        self.fill(x, y, size, ground(number));
        for bit in 0..NUMBER_BITS {
            let grey = if number >> bit & 1 == 1 { 255 } else { 0 };
            self.fill(
                x + (bit * CELL_SIDE_PIXELS) as i16,
                y,
                (CELL_SIDE_PIXELS, CELL_SIDE_PIXELS),
                grey,
            );
        }
    }

    fn present(&self, x: i16, y: i16, (width, height): (u16, u16)) {
        let Self { connection, canvas, window, gc, .. } = self;
        connection.copy_area(*canvas, *window, *gc, x, y, x, y, width, height).unwrap();
        connection.sync().unwrap();
    }
}

fn at(frame: &VideoFrame, x: usize, y: usize) -> u8 {
    frame.planes().y[y * frame.planes().luma_stride() + x]
}

/// Returns the number that is painted at a position.
fn number(frame: &VideoFrame, x: usize, y: usize) -> u16 {
    let half = usize::from(CELL_SIDE_PIXELS) / 2;
    let is_one =
        |bit: u16| at(frame, x + usize::from(bit * CELL_SIDE_PIXELS) + half, y + half) > 128;
    (0..NUMBER_BITS).map(|bit| u16::from(is_one(bit)) << bit).sum()
}

/// Waits for a frame that fulfills the condition.
fn seen(
    source: &mut Source,
    clock: Clock,
    what: &str,
    wanted: impl Fn(&VideoFrame) -> bool,
) -> VideoFrame {
    let begun = clock.now();
    loop {
        let now = clock.now();
        if let Some(frame) = source.feed.frame(now).filter(&wanted) {
            return frame;
        }
        assert!(now.since(begun) < TEST_TIMEOUT, "never {what}: {:?}", source.status.report());
        Stop::new().wait(Duration::from_millis(2));
    }
}

#[test]
fn inside() {
    if std::env::var_os(RIG_VARIABLE).is_none() {
        return;
    }
    let client = Client::connect();
    // The pointer is moved outside the painted area.
    client.connection.warp_pointer(x11rb::NONE, client.root, 0, 0, 0, 0, 1_800, 1_000).unwrap();
    client.connection.sync().unwrap();
    let clock = Clock::start();
    let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::new(60, 1).unwrap() };
    let figures = Arc::new(Figures::default());
    let system =
        Arc::new(Counting(crate::capture::screen::backend::screens(), Arc::clone(&figures)));
    let target = Target::Screen(DisplayTarget::default());
    let context = Context { clock, grid, size: DISPLAY_SIZE };
    let mut source = open(system, target, Default::default(), &context).unwrap();
    let first = seen(&mut source, clock, "a picture", |_| true);
    assert_eq!(first.size(), DISPLAY_SIZE);
    let mut last = still(&mut source, clock, &figures);
    let before = figures.read();

    // A moving box: each step uncovers its previous position.
    let (size, steps, below) = ((320_u16, 180_u16), 60_u16, 100_i16);
    for step in 1..=steps {
        let place = |step: u16| (step * 20) as i16;
        client.fill(place(step - 1), below, size, 0);
        client.paint(place(step), below, size, step);
        // This shows the uncovered and the covered area in one update.
        client.present(place(step - 1), below, (size.0 + 20, size.1));
        let (x, y) = (place(step) as usize, below as usize);
        let frame = seen(&mut source, clock, "the step", |frame| number(frame, x, y) == step);
        assert!(!frame.is_same(&last));
        for (x, y) in [(x + 2, y + 100), (x + 318, y + 178), (x + 160, y + 90)] {
            assert!(at(&frame, x, y).abs_diff(luma(ground(step))) <= 2, "{step} at {x},{y}");
        }
        for (x, y) in [(x - 2, y + 4), (x + 322, y + 4), (x + 160, y + 182), (1_000, 900)] {
            assert!(at(&frame, x, y) <= 18, "{step} at {x},{y}: uncovered again, or never painted");
        }
        last = frame;
    }
    let (reads, pixels) = figures.read();
    let (reads, pixels) = (reads - before.0, pixels - before.1);
    assert!(reads >= u64::from(steps), "{reads}");
    // Each step damages the box and the strip beside it, with a few more pixels for whole chroma
    // samples.
    let damaged = u64::from(steps) * 344 * 184;
    assert!(
        pixels <= damaged,
        "{pixels} of {damaged}; whole pictures are {}",
        DISPLAY_SIZE.pixels()
    );

    // Nothing moves: nothing is read, and the frame stays the same.
    still(&mut source, clock, &figures);

    whole_frames(client, &mut source, clock);
}

/// Waits until no pixels are left to read, and checks that polling then reads none.
fn still(source: &mut Source, clock: Clock, figures: &Figures) -> VideoFrame {
    let asked = || figures.asked.load(Ordering::SeqCst);
    let wait = |times: u64| {
        let (from, begun) = (asked(), clock.now());
        while asked() < from + times {
            assert!(clock.now().since(begun) < TEST_TIMEOUT, "the display is not asked any more");
            Stop::new().wait(Duration::from_millis(2));
        }
    };
    // The last painted content has been reported by then.
    wait(10);
    let (read, frame) = (figures.read(), source.feed.frame(clock.now()).unwrap());
    wait(50);
    assert_eq!(figures.read(), read, "a still screen is read");
    let now = source.feed.frame(clock.now()).unwrap();
    assert!(now.is_same(&frame));
    now
}

/// Paints the whole display as fast as the client can. Each shown frame must be a completely
/// painted frame, and must not be older than the previous one.
fn whole_frames(client: Client, source: &mut Source, clock: Clock) {
    const FIRST_NUMBER: u16 = 1_000;
    let size = (DISPLAY_SIZE.width as u16, DISPLAY_SIZE.height as u16);
    let mut next = FIRST_NUMBER;
    let painter = Worker::spawn("painter", move |stop| {
        while !stop.is_set() {
            client.paint(0, 0, size, next);
            client.present(0, 0, size);
            next += 1;
            stop.wait(Duration::from_millis(5));
        }
    })
    .unwrap();
    let (mut numbers, mut before) = (Vec::new(), FIRST_NUMBER - 1);
    while numbers.len() < 30 {
        let frame = seen(source, clock, "another picture", |frame| {
            let number = number(frame, 0, 0);
            number >= FIRST_NUMBER && number != before
        });
        let number = number(&frame, 0, 0);
        assert!(number > before, "{number} after {numbers:?}");
        for (x, y) in [(2, 40), (1_917, 2), (2, 1_077), (1_917, 1_077), (960, 540)] {
            let (is, wanted) = (at(&frame, x, y), luma(ground(number)));
            assert!(is.abs_diff(wanted) <= 2, "{number} at {x},{y}: {is} instead of {wanted}");
        }
        numbers.push(number);
        before = number;
    }
    drop(painter);
}
