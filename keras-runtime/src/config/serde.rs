//! Types of serde by their JSON.

/// Types that are JSON by their `to_json` and `from_json`.
macro_rules! by_json {
    ($($ty:ty)*) => {$(
        impl serde_core::Serialize for $ty {
            fn serialize<S: serde_core::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serde_core::Serialize::serialize(&self.to_json(), serializer)
            }
        }

        impl<'de> serde_core::Deserialize<'de> for $ty {
            fn deserialize<D: serde_core::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let json = <$crate::config::Json as serde_core::Deserialize>::deserialize(deserializer)?;
                Self::from_json(&json).map_err(serde_core::de::Error::custom)
            }
        }
    )*};
}

pub(crate) use by_json;

by_json! { super::Config }
