//! The kernels as operations of a candle graph, with gradients: depthwise 3x3, batch norm with its activation, patches.
//!
//! Everything is `f32` and NHWC. [`Route::Kernels`] runs on the CPU, on the calling thread; [`Route::Composed`] gives the
//! same numbers anywhere.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Device, Layout, Result, Shape, Storage, Tensor, bail};

use super::batch_norm::{self, Activation, Saved};
use super::depthwise::{self, CHANNEL_STEP};
use super::im2col::{col2im, im2col, out_side};
use super::isa::Isa;
use super::{composed, depthwise::Shape as Sizes};

/// Which implementation runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Our kernels, on CPU tensors only.
    Kernels(Isa),
    /// Candle's own operations, on any device.
    Composed,
}

impl Route {
    /// The fastest route for a device.
    pub fn of(device: &Device) -> Self {
        if device.is_cpu() { Route::Kernels(Isa::best()) } else { Route::Composed }
    }
}

/// Depthwise 3x3 convolution with padding 1 of square `images [n, side, side, channels]` with `weights [9, channels]`,
/// `[n, out, out, channels]`. Channels are a multiple of 16; stride is 1 or 2.
///
/// # Errors
/// The shapes do not fit, or the kernels are asked to run elsewhere than on the CPU.
pub fn depthwise(route: Route, images: &Tensor, weights: &Tensor, stride: usize) -> Result<Tensor> {
    match route {
        Route::Kernels(isa) => images.contiguous()?.apply_op2(&weights.contiguous()?, Depthwise { isa, stride }),
        Route::Composed => composed::depthwise(images, weights, stride),
    }
}

/// Patches `[n * out * out, 9 * channels]` of square `images [n, side, side, channels]`, so that a 3x3 convolution with
/// padding 1 becomes a matrix product.
///
/// # Errors
/// The shapes do not fit, or the kernels are asked to run elsewhere than on the CPU.
pub fn patches(route: Route, images: &Tensor, stride: usize) -> Result<Tensor> {
    match route {
        Route::Kernels(_) => images.contiguous()?.apply_op1(Patches { stride }),
        Route::Composed => composed::patches(images, stride),
    }
}

/// Batch norm in training with its activation: the output `[rows, channels]`, and the batch's mean and biased variance,
/// `[channels]` each, which carry no gradient. `x [rows, channels]`, `gamma [channels]`, `beta [channels]`; channels are a
/// multiple of 16.
///
/// # Errors
/// The shapes do not fit, or the kernels are asked to run elsewhere than on the CPU.
pub fn batch_norm(
    route: Route,
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    activation: Activation,
) -> Result<(Tensor, Tensor, Tensor)> {
    let Route::Kernels(isa) = route else { return composed::batch_norm(x, gamma, beta, activation) };
    let channels = gamma.elem_count();
    let saved = Arc::new(Mutex::new(Saved::new(channels)));
    let op = BatchNorm { isa, activation, saved: Arc::clone(&saved) };
    let y = x.contiguous()?.apply_op3(&gamma.contiguous()?, &beta.contiguous()?, op)?;
    let saved = saved.lock().unwrap_or_else(PoisonError::into_inner);
    let mean = Tensor::from_slice(&saved.mean, channels, x.device())?;
    let variance = Tensor::from_slice(&saved.variance, channels, x.device())?;
    Ok((y, mean, variance))
}

/// The numbers of a contiguous storage.
fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("a kernel was given a tensor that is not contiguous: {layout:?}"),
    }
}

/// Hands the numbers of a tensor to `read`.
fn with_slice<R>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> R) -> Result<R> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cpu(storage) = &*storage else { bail!("a CPU kernel was given a tensor on {:?}", tensor.device()) };
    Ok(read(slice(storage, layout)?))
}

fn square_dims(shape: &Shape) -> Result<(usize, usize, usize)> {
    match *shape.dims() {
        [n, side, width, channels] if side == width && side > 0 => Ok((n, side, channels)),
        _ => bail!("images must be [n, side, side, channels], got {shape:?}"),
    }
}

struct Depthwise {
    isa: Isa,
    stride: usize,
}

impl Depthwise {
    fn sizes(&self, images: &Shape, weights: &Shape) -> Result<Sizes> {
        let (n, side, channels) = square_dims(images)?;
        if weights.dims() != [9, channels] || !channels.is_multiple_of(CHANNEL_STEP) || !matches!(self.stride, 1 | 2) {
            bail!("depthwise at stride {}: weights {weights:?} do not fit images {images:?}", self.stride);
        }
        Ok(Sizes { n, side, channels, stride: self.stride })
    }
}

impl CustomOp2 for Depthwise {
    fn name(&self) -> &'static str {
        "depthwise"
    }

    fn cpu_fwd(
        &self,
        images: &CpuStorage,
        images_layout: &Layout,
        weights: &CpuStorage,
        weights_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let sizes = self.sizes(images_layout.shape(), weights_layout.shape())?;
        let (images, weights) = (slice(images, images_layout)?, slice(weights, weights_layout)?);
        let out = sizes.out();
        let mut outputs = vec![0.0; sizes.n * out * out * sizes.channels];
        depthwise::forward(self.isa, sizes, images, weights, &mut outputs);
        Ok((CpuStorage::F32(outputs), Shape::from((sizes.n, out, out, sizes.channels))))
    }

    fn bwd(
        &self,
        images: &Tensor,
        weights: &Tensor,
        _outputs: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let sizes = self.sizes(images.shape(), weights.shape())?;
        let mut d_images = vec![0.0; images.elem_count()];
        let mut d_weights = vec![0.0; weights.elem_count()];
        with_slice(gradient, |gradient| {
            with_slice(weights, |w| depthwise::image_gradient(self.isa, sizes, gradient, w, &mut d_images))?;
            with_slice(images, |x| depthwise::weight_gradient(self.isa, sizes, gradient, x, &mut d_weights))
        })??;
        Ok((
            Some(Tensor::from_vec(d_images, images.shape(), images.device())?),
            Some(Tensor::from_vec(d_weights, weights.shape(), weights.device())?),
        ))
    }
}

struct Patches {
    stride: usize,
}

impl CustomOp1 for Patches {
    fn name(&self) -> &'static str {
        "patches"
    }

    fn cpu_fwd(&self, images: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, side, channels) = square_dims(layout.shape())?;
        let rows = n * out_side(side, self.stride).pow(2);
        let mut patches = vec![0.0; rows * 9 * channels];
        im2col(slice(images, layout)?, side, channels, self.stride, n, &mut patches);
        Ok((CpuStorage::F32(patches), Shape::from((rows, 9 * channels))))
    }

    fn bwd(&self, images: &Tensor, _patches: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (n, side, channels) = square_dims(images.shape())?;
        let mut d_images = vec![0.0; images.elem_count()];
        with_slice(gradient, |gradient| col2im(gradient, side, channels, self.stride, n, &mut d_images))?;
        Ok(Some(Tensor::from_vec(d_images, images.shape(), images.device())?))
    }
}

struct BatchNorm {
    isa: Isa,
    activation: Activation,
    saved: Arc<Mutex<Saved>>,
}

impl CustomOp3 for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gamma: &CpuStorage,
        gamma_layout: &Layout,
        beta: &CpuStorage,
        beta_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, channels) = x_layout.shape().dims2()?;
        let fits = gamma_layout.dims() == [channels] && beta_layout.dims() == [channels];
        if !fits || rows == 0 || channels == 0 || !channels.is_multiple_of(CHANNEL_STEP) {
            bail!("batch norm: gamma {:?} does not fit x {:?}", gamma_layout.shape(), x_layout.shape());
        }
        let x = slice(x, x_layout)?;
        let (gamma, beta) = (slice(gamma, gamma_layout)?, slice(beta, beta_layout)?);
        let mut y = vec![0.0; x.len()];
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        batch_norm::forward(self.isa, x, gamma, beta, self.activation, &mut saved, &mut y);
        Ok((CpuStorage::F32(y), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        _y: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut d_x = with_slice(gradient, <[f32]>::to_vec)?;
        let (mut d_gamma, mut d_beta) = (vec![0.0; gamma.elem_count()], vec![0.0; beta.elem_count()]);
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        with_slice(x, |x| {
            with_slice(gamma, |gamma| {
                let sums = (&mut d_gamma[..], &mut d_beta[..]);
                batch_norm::backward(self.isa, x, gamma, self.activation, &mut saved, &mut d_x, sums.0, sums.1);
            })
        })??;
        Ok((
            Some(Tensor::from_vec(d_x, x.shape(), x.device())?),
            Some(Tensor::from_vec(d_gamma, gamma.shape(), gamma.device())?),
            Some(Tensor::from_vec(d_beta, beta.shape(), beta.device())?),
        ))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Var;

    use super::*;

    type Operation<'a> = &'a dyn Fn(Route, &[Tensor]) -> Result<Tensor>;

    fn random(shape: &[usize], rng: &mut fastrand::Rng) -> Var {
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| 2.0 * rng.f32() - 0.7).collect();
        Var::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.contiguous().unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    fn routes() -> Vec<Route> {
        Isa::available().into_iter().map(Route::Kernels).chain([Route::Composed]).collect()
    }

    /// The output's product with `weights`, and the gradient of each argument.
    fn run(operation: Operation, route: Route, args: &[Var], weights: &Tensor) -> (Vec<f32>, f64, Vec<Vec<f32>>) {
        let tensors: Vec<Tensor> = args.iter().map(|var| var.as_tensor().clone()).collect();
        let output = operation(route, &tensors).unwrap();
        let loss = (&output * weights).unwrap().sum_all().unwrap();
        let gradients = loss.backward().unwrap();
        let of = |var: &Var| values(gradients.get(var).expect("every argument has a gradient"));
        let product = values(&output).iter().zip(values(weights)).map(|(&y, w)| f64::from(y) * f64::from(w)).sum();
        (values(&output), product, args.iter().map(of).collect())
    }

    fn assert_near(found: &[f32], expected: &[f32], what: &str) {
        let size = expected.iter().fold(1.0f32, |size, x| size.max(x.abs()));
        assert_eq!(found.len(), expected.len(), "{what}");
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!((found - expected).abs() < 1e-4 * size, "{what} at {i}: {found} and {expected}");
        }
    }

    /// All routes give the same output and gradients, and the gradients are finite differences of the output.
    fn check(operation: Operation, args: &[Var], step: f64, name: &str) {
        let mut rng = fastrand::Rng::with_seed(7);
        let tensors: Vec<Tensor> = args.iter().map(|var| var.as_tensor().clone()).collect();
        let shape = operation(Route::Composed, &tensors).unwrap().dims().to_vec();
        let weights = random(&shape, &mut rng).as_detached_tensor();
        let (expected, _, expected_gradients) = run(operation, Route::Composed, args, &weights);
        for route in routes() {
            let what = format!("{name} by {route:?}");
            let (output, _, gradients) = run(operation, route, args, &weights);
            assert_near(&output, &expected, &what);
            for (arg, (found, expected)) in gradients.iter().zip(&expected_gradients).enumerate() {
                assert_near(found, expected, &format!("{what}, gradient of argument {arg}"));
            }
            for (arg, gradient) in args.iter().zip(&gradients) {
                let direction = random(arg.dims(), &mut rng).as_detached_tensor();
                let kept = arg.as_detached_tensor().copy().unwrap();
                let moved = |sign: f64| {
                    arg.set(&(&kept + (&direction * (sign * step)).unwrap()).unwrap()).unwrap();
                    run(operation, route, args, &weights).1
                };
                let quotient = (moved(1.0) - moved(-1.0)) / (2.0 * step);
                arg.set(&kept).unwrap();
                let products = gradient.iter().zip(values(&direction)).map(|(&g, d)| f64::from(g) * f64::from(d));
                let along: f64 = products.sum();
                let size = gradient.iter().map(|g| f64::from(g * g)).sum::<f64>().sqrt();
                assert!((quotient - along).abs() < 0.01 * (1.0 + size), "{what}: {along} and {quotient}");
            }
        }
    }

    #[test]
    fn depthwise_has_right_gradients_on_every_route() {
        let mut rng = fastrand::Rng::with_seed(8);
        for (side, stride, channels) in [(1, 1, 16), (2, 2, 16), (5, 1, 32), (5, 2, 16), (8, 2, 48), (6, 1, 16)] {
            let args = [random(&[2, side, side, channels], &mut rng), random(&[9, channels], &mut rng)];
            let operation = |route: Route, args: &[Tensor]| depthwise(route, &args[0], &args[1], stride);
            check(&operation, &args, 1e-2, &format!("depthwise {side} px at stride {stride}"));
        }
    }

    #[test]
    fn patches_have_right_gradients_on_every_route() {
        let mut rng = fastrand::Rng::with_seed(9);
        for (side, stride, channels) in [(1, 2, 3), (4, 2, 3), (5, 2, 2), (5, 1, 16), (7, 1, 1)] {
            let args = [random(&[2, side, side, channels], &mut rng)];
            let operation = |route: Route, args: &[Tensor]| patches(route, &args[0], stride);
            check(&operation, &args, 1e-2, &format!("patches of {side} px at stride {stride}"));
        }
    }

    #[test]
    fn batch_norm_has_right_gradients_on_every_route() {
        let mut rng = fastrand::Rng::with_seed(10);
        for (rows, channels) in [(9, 16), (70, 32)] {
            for activation in [Activation::Linear, Activation::Relu6] {
                let args = [&[rows, channels][..], &[channels], &[channels]].map(|shape| random(shape, &mut rng));
                let operation =
                    |route: Route, args: &[Tensor]| Ok(batch_norm(route, &args[0], &args[1], &args[2], activation)?.0);
                // A short step, because kinks of the activation bend long ones.
                check(&operation, &args, 2e-4, &format!("batch norm {activation:?} of {rows} rows"));
            }
        }
    }

    #[test]
    fn batch_norm_gives_the_statistics_of_the_batch() {
        let mut rng = fastrand::Rng::with_seed(13);
        let args = [&[33, 16][..], &[16], &[16]].map(|shape| random(shape, &mut rng).as_detached_tensor());
        let by = |route| batch_norm(route, &args[0], &args[1], &args[2], Activation::Linear).unwrap();
        let (_, mean, variance) = by(Route::Composed);
        for route in routes() {
            let (_, found_mean, found_variance) = by(route);
            assert_near(&values(&found_mean), &values(&mean), "mean");
            assert_near(&values(&found_variance), &values(&variance), "variance");
        }
    }

    #[test]
    fn unfit_shapes_are_errors() {
        let zeros = |shape: &[usize]| Tensor::zeros(shape, candle_core::DType::F32, &Device::Cpu).unwrap();
        let route = Route::Kernels(Isa::best());
        assert!(depthwise(route, &zeros(&[1, 4, 4, 16]), &zeros(&[9, 32]), 1).is_err());
        assert!(depthwise(route, &zeros(&[1, 4, 4, 8]), &zeros(&[9, 8]), 1).is_err());
        assert!(depthwise(route, &zeros(&[1, 4, 5, 16]), &zeros(&[9, 16]), 1).is_err());
        assert!(depthwise(route, &zeros(&[1, 4, 4, 16]), &zeros(&[9, 16]), 3).is_err());
        assert!(patches(route, &zeros(&[4, 4, 3]), 1).is_err());
        let norm = |x: &[usize], gamma| batch_norm(route, &zeros(x), &zeros(gamma), &zeros(gamma), Activation::Linear);
        assert!(norm(&[4, 16], &[32]).is_err());
        assert!(norm(&[0, 16], &[16]).is_err());
    }
}
