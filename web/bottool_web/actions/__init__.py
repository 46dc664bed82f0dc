"""What people and programs can do, a module per noun: permission, rule, store, files, event. Knows no HTTP."""
