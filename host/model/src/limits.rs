//! What an app may use: hard caps on one request or instance, and budgets that all of an app's
//! instances share. The defaults are DESIGN's.

use crate::Invalid;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;

/// The pool reserves this much address space a memory; no instance may be given more.
pub const MAX_INSTANCE_MEMORY_BYTES: u64 = GIB;

/// Declares the limits once: their type, default, range and unit.
macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $default:expr, $min:expr, $max:expr;)*) => {
        /// Every limit of one app, in force.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
        #[serde(default)]
        pub struct Limits {
            $($(#[$doc])* pub $name: $type,)*
            /// Hard cap on CPU, in cores; none: bounded only by what neighbours want.
            pub cpu_cores: Option<f64>,
            /// Requests one instance may serve; none: 1 for WASI 0.2, 128 for WASI 0.3.
            pub instance_reuse: Option<u32>,
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)* cpu_cores: None, instance_reuse: None }
            }
        }

        /// Limits to change; what is absent stays as it is. For `cpu_cores` and `instance_reuse`,
        /// `null` removes the setting.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct LimitsPatch {
            $($(#[$doc])* #[serde(skip_serializing_if = "Option::is_none")] pub $name: Option<$type>,)*
            /// Hard cap on CPU, in cores; `null` for none.
            #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
            #[schema(value_type = Option<f64>)]
            pub cpu_cores: Option<Option<f64>>,
            /// Requests one instance may serve; `null` for the world's default.
            #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
            #[schema(value_type = Option<u32>)]
            pub instance_reuse: Option<Option<u32>>,
        }

        impl Limits {
            /// Overwrites what `patch` holds.
            pub fn apply(&mut self, patch: &LimitsPatch) {
                $(if let Some(value) = patch.$name { self.$name = value; })*
                if let Some(value) = patch.cpu_cores { self.cpu_cores = value; }
                if let Some(value) = patch.instance_reuse { self.instance_reuse = value; }
            }

            /// Checks every limit's range.
            ///
            /// # Errors
            /// The first one out of range, with its range.
            pub fn check(&self) -> Result<(), Invalid> {
                $(in_range(stringify!($name), self.$name, $min, $max)?;)*
                self.check_together()
            }
        }
    };
}

limits! {
    /// Memory of all the app's instances and of the host's buffers for it, in bytes.
    memory_bytes: u64 = 128 * MIB, MIB, 1024 * GIB;
    /// Linear memory and tables of one instance, in bytes.
    instance_memory_bytes: u64 = 64 * MIB, 64 * KIB, MAX_INSTANCE_MEMORY_BYTES;
    /// Turns against other apps that want CPU at the same time; 100 is the norm.
    cpu_weight: u32 = 100, 1, 10_000;
    /// CPU time of one request, in milliseconds.
    request_cpu_ms: u64 = 5_000, 1, 3_600_000;
    /// Time until a response begins, and the longest silence within its body, in milliseconds.
    request_timeout_ms: u64 = 30_000, 10, 3_600_000;
    /// Requests served at once.
    concurrency: u32 = 64, 1, 10_000;
    /// Requests that wait for their turn.
    queue: u32 = 256, 0, 100_000;
    /// How long a request waits for its turn, in milliseconds.
    queue_timeout_ms: u64 = 5_000, 0, 600_000;
    /// Body of one request, in bytes.
    request_body_bytes: u64 = 10 * MIB, 0, 16 * GIB;
    /// Outgoing HTTP requests at once.
    outbound_concurrency: u32 = 32, 0, 10_000;
    /// Connections to the app's databases at once.
    database_connections: u32 = 5, 1, 1_000;
    /// Run time of one SQL statement, in milliseconds.
    statement_timeout_ms: u64 = 10_000, 1, 3_600_000;
    /// Size of one SQL result, in bytes.
    result_bytes: u64 = 16 * MIB, KIB, GIB;
    /// Size of the app's SQLite file, in bytes.
    storage_bytes: u64 = GIB, MIB, 1024 * GIB;
    /// Log the app may write, in bytes a second.
    log_bytes_per_second: u64 = 64 * KIB, 0, GIB;
}

impl Limits {
    fn check_together(&self) -> Result<(), Invalid> {
        if let Some(cores) = self.cpu_cores
            && !(0.01..=1024.0).contains(&cores)
        {
            return Err(Invalid::new(
                "limits.cpu_cores",
                format!("{cores} is out of range: 0.01 to 1024 cores, or null for no cap"),
            ));
        }
        if let Some(reuse) = self.instance_reuse {
            in_range("instance_reuse", reuse, 1, 1_000_000)?;
        }
        if self.instance_memory_bytes > self.memory_bytes {
            return Err(Invalid::new(
                "limits.instance_memory_bytes",
                format!(
                    "{} is more than memory_bytes ({}), which all instances share: lower it or raise that",
                    self.instance_memory_bytes, self.memory_bytes
                ),
            ));
        }
        Ok(())
    }
}

fn in_range<T: PartialOrd + std::fmt::Display>(
    name: &str,
    value: T,
    min: T,
    max: T,
) -> Result<(), Invalid> {
    if value < min || value > max {
        return Err(Invalid::new(
            format!("limits.{name}"),
            format!("{value} is out of range: {min} to {max}"),
        ));
    }
    Ok(())
}

/// Tells `null` (`Some(None)`) from absent (`None`).
pub(crate) fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_in_range_and_patches_apply() {
        let mut limits = Limits::default();
        limits.check().unwrap();
        let patch: LimitsPatch =
            serde_json::from_str(r#"{"concurrency": 2, "cpu_cores": 0.5}"#).unwrap();
        limits.apply(&patch);
        assert_eq!((limits.concurrency, limits.cpu_cores), (2, Some(0.5)));
        limits.apply(&serde_json::from_str(r#"{"cpu_cores": null}"#).unwrap());
        assert_eq!(limits.cpu_cores, None);
    }

    #[test]
    fn out_of_range_names_the_field() {
        let mut limits = Limits {
            concurrency: 0,
            ..Limits::default()
        };
        assert_eq!(limits.check().unwrap_err().field, "limits.concurrency");
        limits = Limits {
            instance_memory_bytes: 512 * MIB,
            ..Limits::default()
        };
        assert_eq!(
            limits.check().unwrap_err().field,
            "limits.instance_memory_bytes"
        );
        assert!(serde_json::from_str::<LimitsPatch>(r#"{"memory": 1}"#).is_err());
    }
}
