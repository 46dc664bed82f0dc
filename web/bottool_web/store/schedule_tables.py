"""When automations run by themselves: schedules, and what they fired."""
