//! `wasi:config/store`: the app's configuration.

use super::View;
use super::sync::wasi::config::store as wit;
use wasmtime::Result;

impl wit::Host for View<'_> {
    fn get(&mut self, key: String) -> Result<std::result::Result<Option<String>, wit::Error>> {
        let value = self.capabilities.config.get(&key);
        Ok(Ok(value.map(|secret| secret.0.clone())))
    }

    fn get_all(&mut self) -> Result<std::result::Result<Vec<(String, String)>, wit::Error>> {
        let all = self.capabilities.config.iter();
        Ok(Ok(all
            .map(|(key, value)| (key.clone(), value.0.clone()))
            .collect()))
    }
}
