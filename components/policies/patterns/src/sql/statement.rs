//! Statements and what is inside them.

use std::ops::ControlFlow;

use sqlparser::ast::{
    AlterTableOperation as Alter, CopyTarget, Expr, MergeAction, Select, SetExpr, Statement, Visit as _, Visitor,
};

use super::constant;

/// Functions that read files, run programs or load code.
const SERVER_FUNCTIONS: [&str; 16] = [
    "pg_read_file",
    "pg_read_binary_file",
    "pg_ls_dir",
    "pg_stat_file",
    "lo_import",
    "lo_export",
    "dblink",
    "dblink_exec",
    "load_file",
    "load_extension",
    "sys_exec",
    "sys_eval",
    "xp_cmdshell",
    "openrowset",
    "writefile",
    "readfile",
];

/// Adds the ids of what `statements` do.
pub(crate) fn find(statements: &[Statement], found: &mut Vec<&'static str>) {
    let mut walk = Walk { found };
    for statement in statements {
        // It never breaks.
        if statement.visit(&mut walk).is_break() {
            return;
        }
    }
    if statements.len() > 1 {
        found.push("sql/multiple-statements");
    }
}

/// Visits also what stands in common table expressions, explained and prepared
/// statements and bodies.
struct Walk<'a> {
    found: &'a mut Vec<&'static str>,
}

impl Visitor for Walk<'_> {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        self.found.extend(judge(statement));
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        if select.selection.as_ref().is_some_and(constant::has_true_alternative) {
            self.found.push("sql/always-true");
        }
        if select.into.is_some() {
            self.found.extend(select.into.iter().filter(|into| into.to_string().contains('\'')).map(|_| "sql/server"));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expression {
            let name = function.name.to_string().to_ascii_lowercase();
            let name = name.rsplit('.').next().unwrap_or_default();
            if SERVER_FUNCTIONS.contains(&name.trim_matches(['"', '`'])) {
                self.found.push("sql/server");
            }
        }
        ControlFlow::Continue(())
    }
}

fn judge(statement: &Statement) -> Option<&'static str> {
    match statement {
        Statement::Drop { .. }
        | Statement::DropFunction(_)
        | Statement::DropDomain(_)
        | Statement::DropProcedure { .. }
        | Statement::DropSecret { .. }
        | Statement::DropPolicy(_)
        | Statement::DropRule(_)
        | Statement::DropConnector { .. }
        | Statement::DropExtension(_)
        | Statement::DropOperator(_)
        | Statement::DropOperatorFamily(_)
        | Statement::DropOperatorClass(_)
        | Statement::DropTrigger(_) => Some("sql/drop"),
        Statement::Truncate(_) => Some("sql/truncate"),
        Statement::Delete(delete) => constant::matches_all(delete.selection.as_ref()).then_some("sql/delete-all"),
        Statement::Update(update) => constant::matches_all(update.selection.as_ref()).then_some("sql/update-all"),
        Statement::Merge(merge) => {
            let deletes = merge.clauses.iter().any(|clause| matches!(clause.action, MergeAction::Delete { .. }));
            (deletes && constant::matches_all(Some(&merge.on))).then_some("sql/delete-all")
        }
        Statement::AlterTable(alter) => alter.operations.iter().any(drops).then_some("sql/alter-drop"),
        Statement::Grant(_)
        | Statement::GrantRole(_)
        | Statement::Revoke(_)
        | Statement::RevokeRole(_)
        | Statement::Deny(_)
        | Statement::AlterDefaultPrivileges(_)
        | Statement::AlterRole { .. }
        | Statement::CreateRole(_)
        | Statement::CreateUser(_)
        | Statement::AlterUser(_) => Some("sql/rights"),
        Statement::Copy { target: CopyTarget::Program { .. } | CopyTarget::File { .. }, .. }
        | Statement::LoadData { .. }
        | Statement::Load { .. }
        | Statement::Install { .. }
        | Statement::AttachDatabase { .. }
        | Statement::AttachDuckDBDatabase { .. }
        | Statement::CreateExtension(_)
        | Statement::Directory { .. } => Some("sql/server"),
        Statement::Execute { name: Some(name), .. } if is_server_procedure(&name.to_string()) => Some("sql/server"),
        // A statement that nobody wrote down cannot be judged.
        Statement::Execute { immediate: true, .. } => Some("sql/server"),
        Statement::Query(query) => match &*query.body {
            SetExpr::Delete(inner) | SetExpr::Update(inner) => judge(inner),
            _ => None,
        },
        _ => None,
    }
}

fn is_server_procedure(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["immediate", "xp_", "sp_oa", "sp_executesql", "sp_configure"]
        .iter()
        .any(|prefix| name.rsplit('.').next().unwrap_or_default().trim_matches(['[', '"']).starts_with(prefix))
}

fn drops(operation: &Alter) -> bool {
    matches!(
        operation,
        Alter::DropColumn { .. }
            | Alter::DropConstraint { .. }
            | Alter::DropPartitions { .. }
            | Alter::DropPrimaryKey { .. }
            | Alter::DropForeignKey { .. }
            | Alter::DropIndex { .. }
            | Alter::DropProjection { .. }
            | Alter::DropClusteringKey
    )
}
