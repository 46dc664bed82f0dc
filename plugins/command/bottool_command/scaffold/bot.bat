@echo off
rem A bot in plain cmd. A task starts it as: bot.bat SERVER TASK TOKEN [WORKSPACE]; without arguments it runs offline.
setlocal
echo Hello, world!
for /L %%i in (1,1,5) do echo item %%i of 5 done

if "%~3"=="" exit /b 0
where curl >nul 2>nul || exit /b 0
rem The headers go through a pipe, so that the token is in no argument of curl.
(echo token: %~3& echo organization: %~4) | curl --fail --silent --show-error --max-time 30 -H @- ^
  -H "Content-Type: application/json" --output NUL ^
  --data "{\"state\": \"FINISHED\", \"finishStatus\": \"SUCCESS\", \"finishMessage\": \"all items done\", \"totalItems\": 5, \"processedItems\": 5, \"failedItems\": 0}" ^
  "%~1/api/v2/task/%~2" || exit /b 1
echo task %~2 is finished
