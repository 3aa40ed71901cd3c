//! Where apps run: checked when an administrator says so, chosen when they leave it to the supervisor,
//! changed when a worker is emptied or lost.
//!
//! An app whose data are a file of one machine stays there: it is never placed twice, nor moved.

use crate::cell::Cell;
use crate::clock::now_ms;
use crate::desired::Change;
use crate::environments::{EnvironmentStatus, Worker};
use crate::supervisor::Supervisor;
use crate::{Actor, Error};
use lodge_model::{
    App, DatabaseEngine, DatabaseKind, EnvironmentName, Invalid, OperationKind, Placement,
};
use std::collections::HashMap;
use std::sync::Arc;

/// How an app's data are bound to one machine, if they are: for sentences such as "its … is a local file".
pub(crate) fn local_data(app: &App, imports: &[String]) -> Option<&'static str> {
    let file = app.database.kind == DatabaseKind::NewDatabase
        && app.database.engine.unwrap_or(DatabaseEngine::Sqlite) == DatabaseEngine::Sqlite;
    let keyvalue = imports.iter().any(|name| name.contains("keyvalue/"));
    match (file, keyvalue) {
        // First: with it another database would not help.
        (_, true) => Some("key-value data"),
        (true, false) => Some("database"),
        (false, false) => None,
    }
}

/// A further remedy, where there is one.
fn or_a_server(what: &str) -> &'static str {
    if what == "database" {
        ", or give it a database on a server"
    } else {
        ""
    }
}

impl Supervisor {
    /// Chooses where a new app runs, if that was left open, and checks it.
    ///
    /// # Errors
    /// There is no such environment, none with room, or the app cannot be in several.
    pub(crate) fn place_new(
        &self,
        app: &mut App,
        named: Option<&[EnvironmentName]>,
    ) -> Result<(), Error> {
        match named {
            Some(names) if !names.is_empty() => {
                app.environments = names.to_vec();
                app.placement = Placement::Named;
            }
            _ if self.hosts_apps() => {
                app.environments = vec![self.environment.clone()];
                app.placement = Placement::Automatic;
            }
            _ => {
                app.environments = vec![self.choose_environment(app, None)?];
                app.placement = Placement::Automatic;
            }
        }
        self.check_environments(app, None)
    }

    /// Checks where an app is to run. `before` is where it was.
    ///
    /// # Errors
    /// The field and why not.
    pub(crate) fn check_environments(&self, app: &App, before: Option<&App>) -> Result<(), Error> {
        let names = &app.environments;
        for (index, name) in names.iter().enumerate() {
            let field = format!("environments[{index}]");
            if names.iter().take(index).any(|other| other == name) {
                return Err(
                    Invalid::new(field, format!("`{name}` is there twice: remove one")).into(),
                );
            }
            let was_there = before.is_some_and(|app| app.environments.contains(name));
            self.check_environment(name, was_there)
                .map_err(|why| Invalid::new(field, why))?;
        }
        if names.len() > 1 && names.contains(&self.environment) {
            let message = format!(
                "`{}` is this process itself and cannot be combined with workers: name one or the other",
                self.environment
            );
            return Err(Invalid::new("environments", message).into());
        }
        let imports = self.imports_of(app);
        let Some(what) = local_data(app, &imports) else {
            return Ok(());
        };
        if names.len() > 1 {
            let message = format!(
                "its {what} would be a local file in each of them, with other data in each: name one \
                 environment{}",
                or_a_server(what)
            );
            return Err(Invalid::new("environments", message).into());
        }
        if app.failover {
            let message = format!(
                "its {what} is a local file, which no other environment can reach: turn it off{}",
                or_a_server(what)
            );
            return Err(Invalid::new("failover", message).into());
        }
        if let Some(before) = before.filter(|before| before.environments != *names)
            && local_data(before, &imports) == Some(what)
        {
            let from = before.environments.first().unwrap_or(&self.environment);
            let message = format!(
                "its {what} is a local file in `{from}` and would not come along: leave it there"
            );
            return Err(Invalid::new("environments", message).into());
        }
        Ok(())
    }

    fn check_environment(&self, name: &EnvironmentName, was_there: bool) -> Result<(), String> {
        if self.hosts_apps() && *name == self.environment {
            return Ok(());
        }
        match self.workers.get(name) {
            Some(worker) if worker.row.schedulable || was_there => Ok(()),
            Some(_) => Err(format!(
                "`{name}` is cordoned and gets no more apps: uncordon it, or name another"
            )),
            None => Err(self.no_such_environment(name)),
        }
    }

    fn no_such_environment(&self, name: &EnvironmentName) -> String {
        let mut known: Vec<_> = self
            .workers
            .all()
            .iter()
            .map(|worker| format!("`{}`", worker.row.about.environment))
            .collect();
        if self.hosts_apps() {
            known.insert(0, format!("`{}`", self.environment));
        }
        if known.is_empty() {
            return format!(
                "there is no environment `{name}`, and none at all yet: start a worker first"
            );
        }
        format!(
            "there is no environment `{name}`; there are: {}",
            known.join(", ")
        )
    }

    fn imports_of(&self, app: &App) -> Vec<String> {
        let component = self.library.get(&app.component.digest);
        component.map_or_else(Vec::new, |row| row.component.imports)
    }

    /// The least loaded worker that answers, takes apps and has room for the app's memory budget.
    ///
    /// # Errors
    /// There is none: why.
    fn choose_environment(
        &self,
        app: &App,
        except: Option<&EnvironmentName>,
    ) -> Result<EnvironmentName, Invalid> {
        let workers = self.workers.all();
        if workers.is_empty() {
            let message = "no worker has introduced itself yet: start one, then try again";
            return Err(Invalid::new("environments", message));
        }
        let budgets = self.budgets();
        let takes = |worker: &&Worker| {
            let about = &worker.row.about;
            worker.status == EnvironmentStatus::Online
                && worker.row.schedulable
                && except != Some(&about.environment)
        };
        let fits = |worker: &&Worker| {
            let used = worker.load().process_memory_bytes;
            worker.row.about.capacity.memory_bytes.saturating_sub(used) >= app.limits.memory_bytes
        };
        let burden = |worker: &Worker| {
            let about = &worker.row.about;
            let budget = budgets.get(&about.environment).copied().unwrap_or_default();
            let memory = ratio(budget, about.capacity.memory_bytes);
            let cpu = worker.load().cpu / about.capacity.cores.max(f64::MIN_POSITIVE);
            memory + cpu
        };
        let willing: Vec<_> = workers.iter().filter(takes).collect();
        if willing.is_empty() {
            let message = "no worker is online and takes apps: start or uncordon one, or name where it \
                           shall wait";
            return Err(Invalid::new("environments", message));
        }
        let best = willing
            .into_iter()
            .filter(fits)
            .min_by(|a, b| burden(a).total_cmp(&burden(b)));
        best.map(|worker| worker.row.about.environment.clone())
            .ok_or_else(|| {
                let message = format!(
                    "no worker has {} MiB of memory left, its budget (limits.memory_bytes): lower that, \
                     or add a worker",
                    app.limits.memory_bytes / (1024 * 1024)
                );
                Invalid::new("environments", message)
            })
    }

    /// The memory budgets of all apps, by environment, in bytes.
    fn budgets(&self) -> HashMap<EnvironmentName, u64> {
        let mut sums: HashMap<EnvironmentName, u64> = HashMap::new();
        for cell in self.index.all() {
            let state = cell.lock();
            let app = &state.row.app;
            for name in &app.environments {
                let sum = sums.entry(name.clone()).or_default();
                *sum = sum.saturating_add(app.limits.memory_bytes);
            }
        }
        sums
    }

    /// Moves what may be moved out of an environment that is to be emptied.
    pub(crate) async fn move_apps_from(self: &Arc<Self>, name: &EnvironmentName, actor: &Actor) {
        for cell in self.cells_in(name) {
            let movable = {
                let state = cell.lock();
                let app = &state.row.app;
                app.placement == Placement::Automatic && app.environments.contains(name)
            };
            if movable {
                self.move_app(&cell, name, actor).await;
            }
        }
    }

    /// Moves the apps of a lost environment that are to be moved then.
    pub(crate) async fn fail_over_from(self: &Arc<Self>, name: &EnvironmentName) {
        if !self.leads() {
            return;
        }
        for cell in self.cells_in(name) {
            if self.workers.condition(name).online {
                // It is back: what is still there may stay.
                return;
            }
            let fails_over = {
                let state = cell.lock();
                let app = &state.row.app;
                app.failover && app.environments.contains(name)
            };
            if fails_over {
                self.move_app(&cell, name, &Actor::system()).await;
            }
        }
    }

    /// Moves one app to the best other environment; what hinders it is told to its administrator.
    async fn move_app(self: &Arc<Self>, cell: &Arc<Cell>, from: &EnvironmentName, actor: &Actor) {
        let moved = self.try_to_move(cell, from, actor).await;
        if let Err(error) = moved {
            tracing::warn!(app = %cell.id, %from, %error, "an app cannot be moved");
            let text = format!("cannot be moved from `{from}`: {error}");
            self.log(cell, lodge_model::LogLevel::Warn, text);
        }
    }

    async fn try_to_move(
        &self,
        cell: &Arc<Cell>,
        from: &EnvironmentName,
        actor: &Actor,
    ) -> Result<(), Error> {
        let _one = self.writes.lock().await;
        let mut row = self.changeable(cell)?;
        if let Some(what) = local_data(&row.app, &self.imports_of(&row.app)) {
            let message = format!("its {what} is a local file there");
            return Err(Invalid::new("environments", message).into());
        }
        let others = row.app.environments.iter().filter(|name| *name != from);
        let others: Vec<_> = others.cloned().collect();
        row.app.environments = if others.is_empty() {
            vec![self.choose_environment(&row.app, Some(from))?]
        } else {
            others
        };
        row.app.updated_at = now_ms();
        let change = Change::of(row, OperationKind::Update, actor);
        self.write_desired(cell, change, |_| ()).await?;
        Ok(())
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a ratio of bytes needs no more digits"
    )]
    let (part, whole) = (part as f64, whole.max(1) as f64);
    part / whole
}
