//! The network that finds people: the operators of its model, one after the other, on one thread.
//! `packaging/convert-background.py` makes the model. A general runtime would be larger than all of this, and the
//! model's own format has an operator that none of them reads.

use crate::base::simd::wide;

/// The model.
const MODEL: &[u8] = include_bytes!("../../../../../../assets/models/background.bin");
const NAME: &[u8] = b"onairbg1";

/// Values by row, column and channel.
#[derive(Clone, Debug, Default)]
struct Tensor {
    width: usize,
    height: usize,
    depth: usize,
    data: Vec<f32>,
}

impl Tensor {
    fn shape(&mut self, width: usize, height: usize, depth: usize) {
        (self.width, self.height, self.depth) = (width, height, depth);
        self.data.resize(width * height * depth, 0.0);
    }

    fn pixel(&self, x: usize, y: usize) -> &[f32] {
        let first = (y * self.width + x) * self.depth;
        self.data.get(first..first + self.depth).unwrap_or_default()
    }
}

/// A convolution with as many outputs as inputs divided by the step, rounded up.
#[derive(Debug)]
struct Convolution {
    kernel: usize,
    step: usize,
    depth: usize,
    weights: Vec<f32>,
    bias: Vec<f32>,
}

#[derive(Debug)]
enum Operator {
    Convolution(usize, Convolution),
    /// A convolution of each channel alone.
    Depthwise(usize, Convolution),
    Relu(usize),
    HardSwish(usize),
    Sigmoid(usize),
    Add(usize, usize),
    /// Multiplies each channel by a factor.
    Multiply(usize, usize),
    /// The mean of each channel.
    Mean(usize),
    /// Twice the size, interpolated.
    Double(usize),
    /// Twice the size in one channel, with weights for each of the four new pixels.
    Enlarge(usize, Vec<f32>, Vec<f32>),
}

/// The network with the memory of its results.
#[derive(Debug)]
pub struct Network {
    pub width: usize,
    pub height: usize,
    operators: Vec<Operator>,
    /// The input, and the result of each operator.
    tensors: Vec<Tensor>,
}

/// Reads the bytes of the model.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn byte(&mut self) -> Option<usize> {
        self.bytes().map(|[byte]| byte.into())
    }

    fn number(&mut self) -> Option<usize> {
        self.bytes().map(|bytes| u16::from_le_bytes(bytes).into())
    }

    fn floats(&mut self, count: usize) -> Option<Vec<f32>> {
        (0..count).map(|_| self.bytes().map(|bytes| half(u16::from_le_bytes(bytes)))).collect()
    }
}

/// Converts a number of half precision.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1F), f32::from(bits & 0x3FF) / 1_024.0);
    sign * match exponent {
        0 => fraction * 2_f32.powi(-14),
        exponent => (1.0 + fraction) * 2_f32.powi(exponent - 15),
    }
}

impl Network {
    /// Reads the model. Returns `None` only if the model itself is damaged.
    pub fn new() -> Option<Self> {
        let mut model = Reader(MODEL.strip_prefix(NAME)?);
        let (width, height) = (model.number()?, model.number()?);
        let count = model.byte()?;
        let operators = (0..count).map(|_| operator(&mut model)).collect::<Option<Vec<_>>>()?;
        let tensors = vec![Tensor::default(); count + 1];
        Some(Self { width, height, operators, tensors })
    }

    /// Returns for each pixel how much it belongs to a person, 0…1. `picture` contains red, green and blue,
    /// 0…1.
    pub fn run(&mut self, picture: &[f32]) -> &[f32] {
        if let Some(input) = self.tensors.first_mut() {
            input.shape(self.width, self.height, 3);
            for (to, from) in input.data.iter_mut().zip(picture) {
                *to = *from;
            }
        }
        for (index, operator) in self.operators.iter().enumerate() {
            let (before, after) = self.tensors.split_at_mut(index + 1);
            let Some(out) = after.first_mut() else { break };
            wide(
                #[inline(always)]
                || apply(operator, before, out),
            );
        }
        self.tensors.last().map(|it| it.data.as_slice()).unwrap_or_default()
    }
}

fn operator(model: &mut Reader<'_>) -> Option<Operator> {
    let (kind, one, other) = (model.byte()?, model.byte()?, model.byte()?);
    Some(match kind {
        0 | 1 => {
            let (kernel, step) = (model.byte()?, model.byte()?);
            let (from, depth) = (model.number()?, model.number()?);
            let count = kernel * kernel * if kind == 0 { from * depth } else { depth };
            let (weights, bias) = (model.floats(count)?, model.floats(depth)?);
            let it = Convolution { kernel, step: step.max(1), depth, weights, bias };
            if kind == 0 { Operator::Convolution(one, it) } else { Operator::Depthwise(one, it) }
        }
        2 => Operator::Relu(one),
        3 => Operator::HardSwish(one),
        4 => Operator::Sigmoid(one),
        5 => Operator::Add(one, other),
        6 => Operator::Multiply(one, other),
        7 => Operator::Mean(one),
        8 => Operator::Double(one),
        9 => {
            let depth = model.number()?;
            Operator::Enlarge(one, model.floats(depth * 4)?, model.floats(1)?)
        }
        _ => return None,
    })
}

#[inline(always)]
fn apply(operator: &Operator, before: &[Tensor], out: &mut Tensor) {
    let none = Tensor::default();
    let tensor = |index: &usize| before.get(*index).unwrap_or(&none);
    match operator {
        Operator::Convolution(from, it) => convolved_over_channels(tensor(from), it, out),
        Operator::Depthwise(from, it) => convolved_by_channel(tensor(from), it, out),
        Operator::Relu(from) => each(tensor(from), out, |it| it.max(0.0)),
        Operator::HardSwish(from) => {
            each(tensor(from), out, |it| it * (it + 3.0).clamp(0.0, 6.0) / 6.0);
        }
        Operator::Sigmoid(from) => each(tensor(from), out, |it| 1.0 / (1.0 + (-it).exp())),
        Operator::Add(one, other) => {
            let (one, other) = (tensor(one), tensor(other));
            out.shape(one.width, one.height, one.depth);
            for ((out, one), other) in out.data.iter_mut().zip(&one.data).zip(&other.data) {
                *out = one + other;
            }
        }
        Operator::Multiply(one, other) => {
            let (one, factors) = (tensor(one), tensor(other));
            out.shape(one.width, one.height, one.depth);
            let depth = one.depth.max(1);
            let pixels = out.data.chunks_exact_mut(depth).zip(one.data.chunks_exact(depth));
            for (out, one) in pixels {
                for ((out, one), factor) in out.iter_mut().zip(one).zip(&factors.data) {
                    *out = one * factor;
                }
            }
        }
        Operator::Mean(from) => {
            let from = tensor(from);
            out.shape(1, 1, from.depth);
            out.data.fill(0.0);
            for pixel in from.data.chunks_exact(from.depth.max(1)) {
                add(&mut out.data, pixel, 1.0);
            }
            let count = (from.width * from.height).max(1) as f32;
            out.data.iter_mut().for_each(|it| *it /= count);
        }
        Operator::Double(from) => doubled(tensor(from), out),
        Operator::Enlarge(from, weights, bias) => enlarged(tensor(from), weights, bias, out),
    }
}

#[inline(always)]
fn each(from: &Tensor, out: &mut Tensor, of: impl Fn(f32) -> f32) {
    out.shape(from.width, from.height, from.depth);
    for (out, from) in out.data.iter_mut().zip(&from.data) {
        *out = of(*from);
    }
}

#[inline(always)]
fn add(sum: &mut [f32], values: &[f32], factor: f32) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += value * factor;
    }
}

/// Returns the number of outputs along a side, and the number of inputs missing before the first one.
const fn side(from: usize, kernel: usize, step: usize) -> (usize, usize) {
    let count = from.div_ceil(step);
    let needed = (count.saturating_sub(1)) * step + kernel;
    (count, needed.saturating_sub(from) / 2)
}

/// Calls `tap` for each input pixel of an output pixel, with the index of its weights.
#[inline(always)]
fn taps(from: &Tensor, it: &Convolution, at: (usize, usize), mut tap: impl FnMut(usize, &[f32])) {
    let (_, left) = side(from.width, it.kernel, it.step);
    let (_, top) = side(from.height, it.kernel, it.step);
    for row in 0..it.kernel {
        let Some(y) = (at.1 * it.step + row).checked_sub(top) else { continue };
        if y >= from.height {
            break;
        }
        for column in 0..it.kernel {
            let Some(x) = (at.0 * it.step + column).checked_sub(left) else { continue };
            if x >= from.width {
                break;
            }
            tap(row * it.kernel + column, from.pixel(x, y));
        }
    }
}

/// Sets each output pixel to the bias plus what `add_tap` adds for each input pixel with its weights.
#[inline(always)]
fn convolved(
    from: &Tensor,
    it: &Convolution,
    weights_per_tap: usize,
    out: &mut Tensor,
    add_tap: impl Fn(&mut [f32], &[f32], &[f32]),
) {
    let (width, _) = side(from.width, it.kernel, it.step);
    let (height, _) = side(from.height, it.kernel, it.step);
    out.shape(width, height, it.depth);
    for (index, out) in out.data.chunks_exact_mut(it.depth.max(1)).enumerate() {
        out.copy_from_slice(&it.bias);
        taps(
            from,
            it,
            (index % width.max(1), index / width.max(1)),
            #[inline(always)]
            |tap, pixel| {
                add_tap(out, pixel, it.weights.get(tap * weights_per_tap..).unwrap_or_default());
            },
        );
    }
}

/// Each output channel is a sum over all input channels.
#[inline(always)]
fn convolved_over_channels(from: &Tensor, it: &Convolution, out: &mut Tensor) {
    let depth = it.depth.max(1);
    convolved(
        from,
        it,
        from.depth * it.depth,
        out,
        #[inline(always)]
        |out, pixel, weights| {
            for (value, weights) in pixel.iter().zip(weights.chunks_exact(depth)) {
                add(out, weights, *value);
            }
        },
    );
}

/// Each output channel is a sum over one input channel.
#[inline(always)]
fn convolved_by_channel(from: &Tensor, it: &Convolution, out: &mut Tensor) {
    convolved(
        from,
        it,
        it.depth,
        out,
        #[inline(always)]
        |out, pixel, weights| {
            for ((out, value), weight) in out.iter_mut().zip(pixel).zip(weights) {
                *out += value * weight;
            }
        },
    );
}

/// Twice the size: a new pixel is three quarters of the nearest old one and one quarter of the next one.
#[inline(always)]
fn doubled(from: &Tensor, out: &mut Tensor) {
    out.shape(from.width * 2, from.height * 2, from.depth);
    let pair = |at: usize, side: usize| {
        let near = at / 2;
        let next =
            if at.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(side - 1) };
        (near, next)
    };
    let width = out.width.max(1);
    for (index, out) in out.data.chunks_exact_mut(from.depth.max(1)).enumerate() {
        let (x, next_x) = pair(index % width, from.width);
        let (y, next_y) = pair(index / width, from.height);
        out.fill(0.0);
        add(out, from.pixel(x, y), 0.5625);
        add(out, from.pixel(next_x, y), 0.1875);
        add(out, from.pixel(x, next_y), 0.1875);
        add(out, from.pixel(next_x, next_y), 0.0625);
    }
}

#[inline(always)]
fn enlarged(from: &Tensor, weights: &[f32], bias: &[f32], out: &mut Tensor) {
    out.shape(from.width * 2, from.height * 2, 1);
    let bias = bias.first().copied().unwrap_or_default();
    let width = out.width.max(1);
    for (index, out) in out.data.iter_mut().enumerate() {
        let (x, y) = (index % width, index / width);
        let weights = weights.get((y % 2 * 2 + x % 2) * from.depth..).unwrap_or_default();
        let products = from.pixel(x / 2, y / 2).iter().zip(weights).map(|(a, b)| a * b);
        *out = bias + products.sum::<f32>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_half_precision_are_read() {
        for (bits, value) in
            [(0x3C00, 1.0), (0xC000, -2.0), (0x3555, 0.333_251_95), (0x0001, 5.960_464_5e-8)]
        {
            assert_eq!(half(bits), value);
        }
    }

    /// The expected values come from ONNX Runtime, with the model as single precision.
    #[test]
    fn the_network_gives_what_a_foreign_runtime_gives() {
        let mut network = Network::new().unwrap();
        let (width, height) = (network.width, network.height);
        assert_eq!((width, height), (256, 144));
        let mut picture = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let (x, y) = (x as f32, y as f32);
                let inside = |middle: f32, wide: f32, high: f32| {
                    ((x - 128.0) / wide).powi(2) + ((y - middle) / high).powi(2) < 1.0
                };
                picture.extend(if inside(52.0, 28.0, 36.0) {
                    [0.85, 0.62, 0.5]
                } else if inside(150.0, 80.0, 62.0) {
                    [0.2, 0.25, 0.6]
                } else {
                    [x / 256.0 * 0.4, 0.3, y / 144.0 * 0.5]
                });
            }
        }
        let seen = network.run(&picture).to_vec();
        assert_eq!(seen.len(), width * height);
        for (y, x, wanted) in
            [(10, 10, 0.0), (52, 128, 0.5102), (130, 60, 0.3115), (130, 128, 0.1053), (90, 40, 0.0)]
        {
            let value = seen[y * width + x];
            assert!((value - wanted).abs() < 0.01, "{x}, {y}: {value} instead of {wanted}");
        }
        let mean = seen.iter().sum::<f32>() / seen.len() as f32;
        assert!((mean - 0.08673).abs() < 0.002, "{mean}");
    }
}
