"""Result files of tasks."""
