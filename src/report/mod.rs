//! What a log says about how well the songs work: KPIs with intervals and trend, and a table that holds exposure against
//! catalogue and likes. Takes the feedback of a team and the catalogue, gives a [`build::Report`] and a page; knows no
//! platform and prints nothing.

pub mod build;
pub mod date;
pub mod facets;
pub mod facts;
pub mod interval;
pub mod kpi;
pub mod page;
pub mod wording;

mod bias;
mod chart;
mod tally;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
