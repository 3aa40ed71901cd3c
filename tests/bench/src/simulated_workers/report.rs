//! One table: a row a figure, a column a size.

use crate::phases::{Convergence, Measured};

#[derive(Default)]
pub(crate) struct Report(Vec<(usize, usize, Measured)>);

type Figure = fn(&Measured) -> Option<f64>;

impl Report {
    pub(crate) fn add(&mut self, workers: usize, apps: usize, measured: Measured) {
        self.0.push((workers, apps, measured));
    }

    pub(crate) fn print(&self) {
        let sizes = self.0.iter();
        let sizes = sizes.map(|(workers, apps, _)| format!(" {workers} × {apps} |"));
        let lines = "--- |".repeat(self.0.len() + 1);
        println!(
            "\n| simulated workers × apps |{}\n|{lines}",
            sizes.collect::<String>()
        );
        self.beginning();
        self.rest();
        self.convergence("supervisor restarted", |measured| &measured.restart);
        self.convergence("Redis back, empty", |measured| &measured.empty);
        self.row("memory of the supervisor after its restart, MiB", 0, |m| {
            Some(m.supervisor_mib_after)
        });
        println!();
        for (workers, apps, measured) in &self.0 {
            println!(
                "{workers} × {apps}, Redis at rest: {:?}",
                measured.rest.most
            );
            println!(
                "    supervisor restarted: {:?}",
                measured.restart.spent.most
            );
            println!("    Redis back, empty: {:?}", measured.empty.spent.most);
        }
    }

    fn beginning(&self) {
        self.row("workers joined, s", 2, |m| m.joined);
        self.row("apps created (8 connections), s", 1, |m| Some(m.created));
        self.row("… until all run, s more", 2, |m| m.started);
        self.row("… CPU of the supervisor, s", 1, |m| {
            Some(m.creating.cpu_seconds)
        });
    }

    fn rest(&self) {
        self.row("at rest: operations of Redis a second", 0, |m| {
            Some(m.rest.operations / m.rest.seconds)
        });
        self.row("at rest: supervisor, cores", 3, |m| Some(m.rest.cores));
        self.row("at rest: command, median ms", 1, |m| {
            Some(m.at_rest.median())
        });
        self.row("at rest: command, p95 ms", 1, |m| {
            Some(m.at_rest.percentile(95))
        });
        self.row("at rest: memory of the supervisor, MiB", 0, |m| {
            Some(m.supervisor_mib)
        });
        self.row("at rest: memory of Redis, MiB", 0, |m| Some(m.redis_mib));
    }

    fn convergence(&self, what: &str, of: fn(&Measured) -> &Convergence) {
        let row = |name: &str, digits, figure: fn(&Convergence) -> Option<f64>| {
            self.line(&format!("{what}: {name}"), digits, |m| figure(of(m)));
        };
        if self.0.iter().any(|(_, _, m)| of(m).serves.is_some()) {
            row("it serves, s", 2, |c| c.serves);
        }
        row("all apps seen running, s", 2, |c| c.seen);
        row("all apps told again, s", 2, |c| c.told);
        row("specifications told", 0, |c| Some(c.specifications as f64));
        row("operations of Redis a second", 0, |c| {
            Some(c.spent.operations / c.spent.seconds)
        });
        row("operations of Redis", 0, |c| Some(c.spent.operations));
        row("CPU of the supervisor, s", 1, |c| Some(c.spent.cpu_seconds));
        row("command meanwhile, median ms", 1, |c| {
            Some(c.commands.median())
        });
        row("command meanwhile, p95 ms", 1, |c| {
            Some(c.commands.percentile(95))
        });
        row("commands meanwhile", 0, |c| Some(c.commands.count() as f64));
    }

    fn row(&self, name: &str, digits: usize, figure: Figure) {
        self.line(name, digits, figure);
    }

    fn line(&self, name: &str, digits: usize, figure: impl Fn(&Measured) -> Option<f64>) {
        let cells = self
            .0
            .iter()
            .map(|(_, _, measured)| match figure(measured) {
                Some(figure) => format!(" {figure:.digits$} |"),
                None => " not in time |".to_owned(),
            });
        println!("| {name} |{}", cells.collect::<String>());
    }
}
