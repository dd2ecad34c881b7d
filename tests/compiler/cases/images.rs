use keras::prelude::*;

const K: usize = 30;

sequential! {
    TooLarge<28, 28, 1>;
    Conv2D(32, 3, activation = relu),
    Conv2D(64, K), //~ Conv2D layer `conv2d_1`: kernel_size 30 is larger than its input (26, 26, 32)
}

sequential! {
    Vector<10>;
    Conv2D(8, 3), //~ Conv2D layer `conv2d`: input is incompatible with the layer: expected ndim=4, found ndim=2. Full shape received: (None, 10)
}

sequential! {
    Channels<8, 8, _>;
    Conv2D(8, 3), //~ Conv2D layer `conv2d`: The channel dimension of the inputs should be defined. Found None. Full input shape received: (None, 8, 8, None)
}

sequential! {
    Groups<8, 8, 3>;
    Conv2D(4, 3, groups = 2), //~ The number of input channels must be evenly divisible by the number of groups. Received: groups=2, input channels=3
}

sequential! {
    Arguments<8, 8, 4>;
    Conv2D(0, 3), //~ Invalid value for argument `filters`. Expected a strictly positive value. Received filters=0.
    Conv2D(4, (3, 0)), //~ Conv2D: The `kernel_size` argument must be one or two positive integers. Received: kernel_size=(3, 0)
    Conv2D(4, (3, 3, 3)), //~ Conv2D: The `kernel_size` argument must be one or two positive integers. Received: kernel_size=(3, 3, 3)
    Conv2D(4, 3, strides = 0), //~ Conv2D: The `strides` argument must be one or two positive integers. Received: strides=0
    Conv2D(4, 3, dilation_rate = 0), //~ Conv2D: The `dilation_rate` argument must be one or two positive integers. Received: dilation_rate=0
    Conv2D(4, 3, strides = 2, dilation_rate = 2), //~ `strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: strides=2 and dilation_rate=2
    Conv2D(4, 3, groups = 0), //~ The number of groups must be a positive integer. Received: groups=0
    Conv2D(5, 3, groups = 2), //~ The number of filters must be evenly divisible by the number of groups. Received: groups=2, filters=5
    MaxPooling2D(0), //~ MaxPooling2D: The `pool_size` argument must be one or two positive integers. Received: pool_size=0
    AveragePooling2D((2, 0)), //~ AveragePooling2D: The `pool_size` argument must be one or two positive integers. Received: pool_size=(2, 0)
    RandomCrop(0, 4), //~ Received an invalid value for `height`, expected a positive integer. Received: height=0
}

sequential! {
    SmallMax<4, 4, 1>;
    MaxPooling2D(5), //~ MaxPooling2D layer `max_pooling2d`: pool_size 5 is larger than its input (4, 4, 1)
}

sequential! {
    SmallAverage<4, 4, 1>;
    AveragePooling2D(5), //~ AveragePooling2D layer `average_pooling2d`: pool_size 5 is larger than its input (4, 4, 1)
}

sequential! {
    FlatMax<4>;
    MaxPooling2D(2), //~ MaxPooling2D layer `max_pooling2d`: input is incompatible with the layer: expected ndim=4, found ndim=2. Full shape received: (None, 4)
}

sequential! {
    FlatAverage<4>;
    AveragePooling2D(2), //~ AveragePooling2D layer `average_pooling2d`: input is incompatible with the layer: expected ndim=4, found ndim=2
}

sequential! {
    FlatGlobal<4>;
    GlobalAveragePooling2D, //~ GlobalAveragePooling2D layer `global_average_pooling2d`: input is incompatible with the layer: expected ndim=4, found ndim=2
}

sequential! {
    FlatGlobalMax<4>;
    GlobalMaxPooling2D, //~ GlobalMaxPooling2D layer `global_max_pooling2d`: input is incompatible with the layer: expected ndim=4, found ndim=2
}

sequential! {
    FlatCrop<40, 3>;
    RandomCrop(32, 32), //~ RandomCrop layer `random_crop`: input is incompatible with the layer: expected ndim=4, found ndim=3. Full shape received: (None, 40, 3)
}

sequential! {
    NoAxis<4, 4>;
    BatchNormalization(axis = 3), //~ BatchNormalization layer `batch_normalization`: Axis 3 is out of bounds for input shape (None, 4, 4)
}

sequential! {
    NoneAxis<4, _>;
    BatchNormalization, //~ BatchNormalization layer `batch_normalization`: Axis -1 of the input should be defined. Found None.
}

fn main() {}
