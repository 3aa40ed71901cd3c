//! What an administrator is told of an app's database.

use crate::Error;
use crate::supervisor::Supervisor;
use crate::trial::without_secret;
use lodge_model::{AppId, DatabaseReport};

impl Supervisor {
    /// An app's own database as it is now, whether the app runs or not. What is not known is left out,
    /// and the report says why, without the URL's password.
    ///
    /// # Errors
    /// There is no such app.
    pub async fn report_database(&self, id: &AppId) -> Result<DatabaseReport, Error> {
        let cell = self.index.require(id)?;
        let away = !cell.lock().is_local();
        if away {
            return Ok(self.worker_database(&cell).await);
        }
        let (database, limits) = {
            let state = cell.lock();
            let app = &state.row.app;
            (app.database.clone(), app.limits.clone())
        };
        let provider = &self.provider;
        let mut report = provider.report_database(id, &database, &limits).await;
        let told = report.problem.take();
        report.problem = told.map(|text| without_secret(&text, database.url.as_deref()));
        Ok(report)
    }
}
