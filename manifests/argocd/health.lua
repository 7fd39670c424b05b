-- The health of a HighAvailabilityApp for Argo CD, told from its conditions alone.
--   Progressing  until the operator has seen this generation, and while it is on its way to it
--   Degraded     where only a change by a person helps, or something required is not met
--   Suspended    while spec.paused is true
--   Healthy      Ready, and nothing under way: a rollout is Progressing, as that of a Deployment
local function find(conditions, kind)
  for _, condition in ipairs(conditions) do
    if condition.type == kind then
      return condition
    end
  end
  return {}
end

local status = obj.status or {}
local conditions = status.conditions or {}
local generation = (obj.metadata or {}).generation
local hs = {}

if status.observedGeneration == nil or status.observedGeneration ~= generation then
  hs.status = "Progressing"
  hs.message = "Waiting for the operator to look at this generation"
  return hs
end

local ready = find(conditions, "Ready")
local stalled = find(conditions, "Stalled")
local reconciling = find(conditions, "Reconciling")
local reconciled = find(conditions, "Reconciled")

hs.message = status.summary or ready.message or ""
if reconciled.reason == "Paused" then
  hs.status = "Suspended"
  hs.message = reconciled.message
elseif stalled.status == "True" then
  hs.status = "Degraded"
  hs.message = stalled.message
elseif reconciling.status == "True" then
  hs.status = "Progressing"
elseif ready.status == "True" then
  hs.status = "Healthy"
elseif ready.status == "False" then
  hs.status = "Degraded"
  hs.message = ready.message
else
  hs.status = "Progressing"
end
return hs
