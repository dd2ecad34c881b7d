use keras::device::Cpu;
use keras::dfdx::shapes::Const;
use keras::dfdx::tensor::{Tensor, ZerosTensor};
use keras::layers::Dense;
use keras::prelude::sequential;

sequential! {
    Net<8>;
    Dense(4),
    Dense(3),
}

fn main() {
    let device = Cpu::default();
    let x: Tensor<(Const<2>, Const<8>), f32, Cpu> = device.zeros();
    let wide: Tensor<(Const<2>, Const<9>), f32, Cpu> = device.zeros();
    let mut net = Net::new();
    let _: Tensor<(Const<2>, Const<3>), f32, Cpu> = net.call(&x).unwrap();
    let _ = net.call(&wide); //~ mismatched types
    let _: Tensor<(Const<2>, Const<4>), f32, Cpu> = net.call(&x).unwrap(); //~ mismatched types
}
