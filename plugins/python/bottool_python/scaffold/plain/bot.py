"""BOT_ID: greets, works through five items and reports them. Without a server it runs offline."""

from botcity.maestro import AlertType, AutomationTaskFinishStatus, BotMaestroSDK

# Offline the calls below only warn.
BotMaestroSDK.RAISE_NOT_CONNECTED = False

ITEMS = 5


def main() -> None:
    # Server, task id, token and workspace come as arguments.
    maestro = BotMaestroSDK.from_sys_args()
    execution = maestro.get_execution()
    name = execution.parameters.get("name", "world")
    print(f"Hello, {name}!")

    for item in range(1, ITEMS + 1):
        print(f"item {item} of {ITEMS} done")

    maestro.alert(
        task_id=execution.task_id,
        title="BOT_ID",
        message=f"Greeted {name}",
        alert_type=AlertType.INFO,
    )
    maestro.finish_task(
        task_id=execution.task_id,
        status=AutomationTaskFinishStatus.SUCCESS,
        message="All items done",
        total_items=ITEMS,
        processed_items=ITEMS,
        failed_items=0,
    )


if __name__ == "__main__":
    main()
