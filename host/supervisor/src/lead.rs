//! Which of several supervisors leads.
//!
//! In a rolling update two run for a while. One holds the claim on the control database: it leads, in a
//! term of its own, higher than those before. The other hears the same workers, reads what changes in the
//! database, passes visitors on, and changes nothing. When the leader goes, it takes the claim.
//!
//! A leader that lost its claim without noticing does no harm: the control database takes no write of an
//! older term, and workers ignore its specifications. A single process leads as long as it lives.

use crate::cell::Cell;
use crate::clock::now_ms;
use crate::cluster::Cluster;
use crate::supervisor::Supervisor;
use crate::{Error, Settings};
use lodge_db::{Claim, Database, Dialect, Tx};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::sleep;

/// How often who does not lead reads what has changed, and tries to lead.
const LOOK: Duration = Duration::from_secs(1);

/// The claim of a process that starts, and its term. Where there may be several supervisors, another
/// one's claim is no error.
///
/// # Errors
/// Another process has the database, or it failed.
pub(crate) async fn first_claim(
    db: &Database,
    cluster: Option<&Cluster>,
    settings: &Settings,
) -> Result<(Option<Claim>, i64), Error> {
    let Some(cluster) = cluster else {
        return Ok((Some(db.claim(settings.claim_patience).await?), 0));
    };
    let several = !cluster.hosts_apps && db.dialect() == Dialect::Postgres;
    let patience = if several {
        Duration::ZERO
    } else {
        settings.claim_patience
    };
    match db.claim(patience).await {
        Ok(claim) => {
            let term = lodge_db::environments::begin_term(db).await?;
            cluster.link.lead(term);
            tracing::info!(term, "leading");
            Ok((Some(claim), term))
        }
        Err(lodge_db::Error::Claimed) if several => {
            tracing::info!("another supervisor leads: passing visitors on until it is gone");
            Ok((None, 0))
        }
        Err(error) => Err(error.into()),
    }
}

impl Supervisor {
    /// True: what is to be changed is changed by this process.
    pub fn leads(&self) -> bool {
        self.claim.lock().is_some()
    }

    /// Begins to write, if this process still leads.
    ///
    /// # Errors
    /// [`lodge_db::Error::Claimed`]: another one leads. The database failed.
    pub(crate) async fn begin(&self) -> Result<Tx, lodge_db::Error> {
        let mut tx = self.db.begin().await?;
        if self.cluster.is_some() {
            let term = self.term.load(Relaxed);
            let dialect = self.db.dialect();
            if !lodge_db::environments::is_newest_term(&mut tx, dialect, term).await? {
                return Err(lodge_db::Error::Claimed);
            }
        }
        Ok(tx)
    }

    /// Leads while it may, and otherwise follows until it may, for as long as the process lives.
    pub(crate) async fn keep_leading(self: Arc<Self>) {
        loop {
            let claim = self.claim.lock().clone();
            if let Some(claim) = claim {
                claim.lost().await;
                *self.claim.lock() = None;
                tracing::warn!(
                    "the claim on the control database broke: not leading until it is had again"
                );
            }
            if let Err(error) = self.follow_leader().await {
                tracing::warn!(%error, "cannot read what another supervisor changed; trying again");
            }
            match self.db.claim(Duration::ZERO).await {
                Ok(claim) => match self.take_the_lead(claim).await {
                    Ok(()) => continue,
                    Err(error) => tracing::error!(%error, "cannot take the lead; trying again"),
                },
                Err(lodge_db::Error::Claimed) => {}
                Err(error) => tracing::warn!(%error, "cannot ask for the lead"),
            }
            sleep(LOOK).await;
        }
    }

    async fn take_the_lead(self: &Arc<Self>, claim: Claim) -> Result<(), Error> {
        let Some(cluster) = &self.cluster else {
            return Ok(());
        };
        let term = lodge_db::environments::begin_term(&self.db).await?;
        // Nobody writes after this: what is read now is all there is.
        self.read_all().await?;
        self.term.store(term, Relaxed);
        *self.claim.lock() = Some(Arc::new(claim));
        cluster.link.lead(term);
        tracing::info!(term, "leading");
        self.take_up_operations().await?;
        for cell in self.index.all() {
            let mut state = cell.lock();
            state.remotes.untell();
            self.refresh(&cell, &mut state);
        }
        self.begin_work();
        Ok(())
    }

    /// Reads what has changed since the last time.
    async fn follow_leader(&self) -> Result<(), Error> {
        let generations = lodge_db::apps::generations(&self.db).await?;
        let mut news = false;
        for (id, generation) in &generations {
            let known = self.index.get(id).map(|cell| cell.lock().row.generation);
            if known != Some(*generation) {
                news = true;
                break;
            }
        }
        let gone = self.index.all().into_iter();
        let mut gone = gone.filter(|cell| !generations.contains_key(&cell.id));
        if news || gone.next().is_some() {
            self.read_all().await?;
        }
        Ok(())
    }

    async fn read_all(&self) -> Result<(), Error> {
        self.library
            .load(lodge_db::components::all(&self.db).await?);
        self.keys
            .load(lodge_db::keys::all(&self.db, &*self.sealer).await?);
        for row in lodge_db::environments::all(&self.db).await? {
            self.workers.learn(row);
        }
        let rows = lodge_db::apps::all(&self.db, &*self.sealer).await?;
        let known: std::collections::HashSet<_> =
            rows.iter().map(|row| row.app.id.clone()).collect();
        for cell in self.index.all() {
            if !known.contains(&cell.id) {
                self.routes.remove(&cell.id);
                self.index.remove(&cell.id);
            }
        }
        for row in rows {
            let Some(cell) = self.index.get(&row.app.id) else {
                let cell = Arc::new(Cell::new(row, &self.environment, now_ms()));
                self.index.insert(Arc::clone(&cell));
                let mut state = cell.lock();
                self.refresh(&cell, &mut state);
                self.routes.upsert(cell.route(&state));
                continue;
            };
            self.index.set_domains(&cell.id, &row.app.domains);
            let mut state = cell.lock();
            if state.row.generation != row.generation {
                state.row = row;
                state.place(&self.environment);
                self.index.placed(&cell, &state);
                self.refresh(&cell, &mut state);
                self.routes.upsert(cell.route(&state));
            }
        }
        Ok(())
    }
}
