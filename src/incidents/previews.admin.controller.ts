import { Body, HttpCode, Post } from '@nestjs/common';
import { AdminController, type Call, Roles, TheCall } from '../platform/index.js';
import { type Classification, classify } from './engine/classification.js';
import { computeDeadline, type Deadline } from './engine/deadlines.js';
import { assessRecurrence, type Recurrence } from './engine/recurrence.js';
import {
  type ClassificationRequest,
  classificationRequestSchema,
  type DeadlineRequest,
  deadlineRequestSchema,
  type RecurrenceRequest,
  recurrenceRequestSchema,
} from './engine/schemas.js';
import { refuseImpreciseNumbers } from './imprecise-numbers.js';

/** The engines on their own: pure questions and answers that store nothing. The router takes `::` for a colon that is part of a name. */
@AdminController('admin/v1/incidents')
@Roles('incident-manager', 'auditor')
export class PreviewsAdminController {
  @Post('classification::preview')
  @HttpCode(200)
  classification(
    @TheCall() call: Call,
    @Body({ schema: classificationRequestSchema }) { facts, readings }: ClassificationRequest,
  ): Classification {
    refuseImpreciseNumbers(call);
    return classify(facts, readings);
  }

  @Post('recurrence::preview')
  @HttpCode(200)
  recurrence(@TheCall() call: Call, @Body({ schema: recurrenceRequestSchema }) request: RecurrenceRequest): Recurrence {
    refuseImpreciseNumbers(call);
    return assessRecurrence(request);
  }

  @Post('deadlines::preview')
  @HttpCode(200)
  deadlines(@TheCall() call: Call, @Body({ schema: deadlineRequestSchema }) request: DeadlineRequest): Deadline {
    refuseImpreciseNumbers(call);
    return computeDeadline(request);
  }
}
